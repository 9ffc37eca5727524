/** A fingerprint in the right form. */
export const FINGERPRINT = `SHA256:${"a".repeat(43)}`;

/** The example of the specification. */
export const EXAMPLE = `version: 1
profiles:
  home:
    server: i2p@20.228.143.58        # [user@]host[:port]
    forwards:
      - console                      # an I2P service by name
      - http-proxy
  vps:
    server: me@final-server:2222
    jump: [jumphost.example.com]     # one or more
    identity: ~/.ssh/id_ed25519
    agent: true
    known_hosts: ~/.ssh/known_hosts
    host_key: ${FINGERPRINT}
    keepalive: { interval: 15s, count: 3 }
    reconnect: { max_delay: 30s }    # or false
    connect_timeout: 15s
    ssh_config: ~/.ssh/config        # or false
    forwards:
      - { service: console, listen: 8080 }
      - { local: "127.0.0.1:8081:127.0.0.1:7657", name: router }
      - { remote: "7657:127.0.0.1:7657" }
      - { dynamic: "1080" }
`;
