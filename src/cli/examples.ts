/**
 * The examples that `--help` and the man page begin with.
 *
 * @module
 */

/** By the command's words; the whole program has none. */
export const EXAMPLES: Record<string, readonly string[]> = {
  "": [
    "i2ptun    on a terminal: a menu; the first time, it asks for what it needs",
    "i2ptun profile add home --server i2p@20.228.143.58 --service console --service http-proxy",
    "i2ptun profile start home",
    "i2ptun profile status",
    "i2ptun profile stop home",
    "i2ptun demo",
  ],
  "profile": [
    "i2ptun profile add home --server i2p@20.228.143.58 --service console",
    "i2ptun profile start home",
    "i2ptun profile status --watch",
  ],
  "profile list": ["i2ptun profile list", "i2ptun profile list --json"],
  "profile add": [
    "i2ptun profile add home --server i2p@20.228.143.58 --service console --service http-proxy",
    "i2ptun profile add vps --server me@vps.example:2222 --jump jump.example -L 8080:127.0.0.1:80",
    'i2ptun profile add home --ssh "ssh -L 7657:127.0.0.1:7657 i2p@20.228.143.58"',
  ],
  "profile show": [
    "i2ptun profile show home",
    "i2ptun profile show home --as ssh",
  ],
  "profile edit": ["i2ptun profile edit home"],
  "profile remove": ["i2ptun profile remove home"],
  "profile import": [
    "i2ptun profile import putty",
    "i2ptun profile import ssh-config vps",
  ],
  "profile import putty": [
    "i2ptun profile import putty",
    "i2ptun profile import putty home --reg sessions.reg",
  ],
  "profile import ssh-config": ["i2ptun profile import ssh-config vps"],
  "profile start": [
    "i2ptun profile start home",
    "i2ptun profile start home --open",
    "i2ptun profile start home --foreground",
    "i2ptun profile start home --keep-trying",
  ],
  "profile stop": ["i2ptun profile stop home", "i2ptun profile stop --all"],
  "profile restart": ["i2ptun profile restart home"],
  "profile status": [
    "i2ptun profile status",
    "i2ptun profile status home --watch",
    "i2ptun profile status --json",
  ],
  "profile logs": [
    "i2ptun profile logs home --lines 200",
    "i2ptun profile logs home --follow",
  ],
  "profile check": ["i2ptun profile check home"],
  "ssh": [
    "i2ptun ssh -L 7657:127.0.0.1:7657 i2p@20.228.143.58",
    "i2ptun ssh -fTNL 4444:127.0.0.1:4444 -L 7657:127.0.0.1:7657 i2p@20.228.143.58",
    "i2ptun profile stop 20.228.143.58",
  ],
  "discover": ["i2ptun discover home", "i2ptun discover home --add"],
  "open": ["i2ptun open home", "i2ptun open home console --print"],
  "browse": ["i2ptun browse home", "i2ptun browse home --pac"],
  "key": ["i2ptun key create", "i2ptun key install home"],
  "key create": [
    "i2ptun key create",
    "i2ptun key create --type rsa --file ~/.ssh/id_router",
  ],
  "key install": [
    "i2ptun key install home",
    "i2ptun key install home --file ~/.ssh/id_router.pub",
  ],
  "autostart": [
    "i2ptun autostart enable home",
    "i2ptun autostart status home",
    "i2ptun autostart enable home --system --print",
  ],
  "demo": ["i2ptun demo", "i2ptun demo --once"],
  "completions": [
    "source <(i2ptun completions bash)",
    "i2ptun completions fish > ~/.config/fish/completions/i2ptun.fish",
  ],
  "schema": ["i2ptun schema > profiles.schema.json"],
  "version": ["i2ptun version", "i2ptun version --json"],
  "help": ["i2ptun help profile start"],
};
