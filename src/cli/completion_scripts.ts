/**
 * What makes a shell ask `i2ptun complete` when Tab is pressed. It answers a
 * candidate a line, with a tab and a few words about it; the line `:files`
 * leaves it to the shell to find files.
 *
 * @module
 */

import type { SHELLS } from "./shells.ts";

const BASH = String.raw`# bash completion for i2ptun
# this session: source <(i2ptun completions bash)
# always:       i2ptun completions bash > ~/.local/share/bash-completion/completions/i2ptun
_i2ptun() {
  local program=${"$"}{COMP_WORDS[0]/#\~/$HOME} value about
  COMPREPLY=()
  while IFS=$'\t' read -r value about; do
    if [[ $value == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("$value")
    fi
  done < <("$program" complete "--current=${"$"}{COMP_WORDS[COMP_CWORD]}" -- \
    "${"$"}{COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
}
complete -F _i2ptun i2ptun
`;

const ZSH = String.raw`#compdef i2ptun
# zsh completion for i2ptun
# this session: source <(i2ptun completions zsh)
# always:       i2ptun completions zsh > a folder of $fpath/_i2ptun
_i2ptun() {
  local -a candidates
  local value about files
  while IFS=$'\t' read -r value about; do
    if [[ $value == :files ]]; then
      files=1
    else
      candidates+=("${"$"}{value//:/\\:}:$about")
    fi
  done < <("${"$"}{words[1]/#\~/$HOME}" complete "--current=$PREFIX" -- \
    "${"$"}{(@)words[2,CURRENT-1]}" 2>/dev/null)
  if [[ -n $files ]]; then
    compset -P '--*='
    _files
  elif (( $#candidates )); then
    _describe i2ptun candidates
  fi
}
if [[ ${"$"}{funcstack[1]} == _i2ptun ]]; then
  _i2ptun "$@"
else
  compdef _i2ptun i2ptun
fi
`;

const FISH = String.raw`# fish completion for i2ptun
# this session: i2ptun completions fish | source
# always:       i2ptun completions fish > ~/.config/fish/completions/i2ptun.fish
function __i2ptun_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    for line in ($program complete "--current=$current" -- $words[2..] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current")
        else
            echo $line
        end
    end
end
complete -c i2ptun -f -a '(__i2ptun_complete)'
`;

/**
 * For Windows PowerShell 5.1 too, which garbles quotes and drops empty words on
 * their way to a program: so they go encoded. After an answer of one empty text
 * PowerShell offers nothing, after none at all it offers files. ASCII only:
 * what a program pipes is read in the console's code page.
 */
const POWERSHELL = String.raw`# PowerShell completion for i2ptun
# this session: i2ptun completions powershell | Out-String | Invoke-Expression
# always:       put that line into the file that $PROFILE names
# Windows PowerShell 5.1 completes no - and no --, but --s and the like
Register-ArgumentCompleter -Native -CommandName 'i2ptun', 'i2ptun.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    # the words before the cursor, and what is before it of the one it is in:
    # $wordToComplete is all of that one, with its quotes
    $words = @()
    $current = ''
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        $extent = $element.Extent
        if ($extent.StartOffset -ge $cursorPosition) { break }
        $text = $extent.Text
        if ($extent.EndOffset -gt $cursorPosition) {
            $text = $text.Substring(0, $cursorPosition - $extent.StartOffset) -replace '["'']'
        } elseif ($element -is [Management.Automation.Language.StringConstantExpressionAst] -or
            $element -is [Management.Automation.Language.ExpandableStringExpressionAst]) {
            $text = $element.Value
        }
        if ($extent.EndOffset -ge $cursorPosition) { $current = $text } else { $words += $text }
    }
    $bytes = [Text.Encoding]::UTF8.GetBytes(($words + $current) -join [char]10)
    $encoded = [Convert]::ToBase64String($bytes)
    $program = $commandAst.GetCommandName()
    $encoding = [Console]::OutputEncoding
    try {
        # the answer is UTF-8; where there is no console this cannot be said
        try { [Console]::OutputEncoding = [Text.UTF8Encoding]::new($false) } catch { }
        $lines = @(& $program complete "--encoded=$encoded" 2>$null)
    } finally {
        try { [Console]::OutputEncoding = $encoding } catch { }
    }
    if ($lines.Count -eq 0) { return '' }
    foreach ($line in $lines) {
        $value, $about = $line -split ([char]9), 2
        if ($value -eq ':files') {
            # after an equals sign PowerShell finds none by itself
            if ($current -notmatch '^(--[^=]+=)(.*)$') { return }
            $flag, $path = $Matches[1], $Matches[2]
            foreach ($file in [Management.Automation.CompletionCompleters]::CompleteFilename($path)) {
                [Management.Automation.CompletionResult]::new(
                    $flag + $file.CompletionText, $file.ListItemText, $file.ResultType, $file.ToolTip)
            }
            return
        }
        $text = $value
        if ($value -notmatch '^[\w./:\\=-]+$') {
            $text = [Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($value)
            $text = "'$text'"
        }
        # none of the three texts may be empty
        if (-not $about) { $about = $value }
        [Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $about)
    }
}
`;

/** By the name of the shell. */
export const COMPLETION_SCRIPTS: Record<typeof SHELLS[number], string> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
  powershell: POWERSHELL,
};
