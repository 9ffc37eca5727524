/** The shells that `completions` has a script for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
