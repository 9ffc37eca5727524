/**
 * The door to ssh2's server.
 *
 * @module
 */

// the order matters: it changes what ssh2 loads
import "./ssh2.ts";
// @ts-types="@types/ssh2"
import type { Server as ServerType } from "ssh2";
import ssh2Server from "ssh2/lib/server.js";

export const Server = ssh2Server as unknown as typeof ServerType;
