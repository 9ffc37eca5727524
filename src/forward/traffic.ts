/** Bytes and connections of a forward; `sent` goes towards the server. */
export interface Traffic {
  connections: { open: number; total: number };
  bytes: { sent: number; received: number };
}

export function noTraffic(): Traffic {
  return {
    connections: { open: 0, total: 0 },
    bytes: { sent: 0, received: 0 },
  };
}
