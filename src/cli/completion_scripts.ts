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

const POWERSHELL = String.raw`# PowerShell completion for i2ptun
# this session: i2ptun completions powershell | Out-String | Invoke-Expression
# always:       put that line into the file that $PROFILE names
Register-ArgumentCompleter -Native -CommandName 'i2ptun', 'i2ptun.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_.Value) { $_.Value } else { $_.ToString() } })
    $program = $commandAst.GetCommandName()
    & $program complete "--current=$wordToComplete" -- $words 2>$null | ForEach-Object {
        $value, $about = $_ -split [char]9, 2
        # nothing at all lets PowerShell find files
        if ($value -ne ':files') {
            if (-not $about) { $about = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, 'ParameterValue', $about)
        }
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
