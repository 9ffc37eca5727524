import { testWith } from "../support/requirements.ts";
import * as s from "./setup.ts";

testWith(["sshd"], "probe", async () => {
  const t0 = performance.now();
  await using link = await s.startLink();
  console.log("link", performance.now() - t0);
  await using target = await s.startProgram(s.echo);
  const forward = await link.open({
    kind: "local",
    name: "l",
    listen: { kind: "tcp", bind: "127.0.0.1", port: 0 },
    target: { kind: "tcp", host: "127.0.0.1", port: target.port },
  });
  const sock = await s.dialTo(s.portOf(forward));
  const data = s.random(30_000_000);
  sock.end(data);
  const t = performance.now();
  const got = await s.readAll(sock);
  console.log(
    performance.now() - t,
    s.sha256(got) === s.sha256(data),
    forward.traffic,
  );
});
