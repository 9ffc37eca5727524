import assert from "node:assert/strict";
import { hasAddress } from "../../src/platform/network.ts";

Deno.test("this machine's addresses, and others", () => {
  for (const { address } of Deno.networkInterfaces()) {
    assert(hasAddress(address), address);
  }
  assert(hasAddress("127.0.0.1") && hasAddress("127.9.9.9"));
  // no machine has these (RFC 5737, RFC 3849)
  assert(!hasAddress("192.0.2.1") && !hasAddress("2001:db8::1"));
});
