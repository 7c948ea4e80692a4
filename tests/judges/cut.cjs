// A way to a service that can be cut.
const net = require("node:net");

exports.cuttable = ({ host, port }) =>
  new Promise((resolve) => {
    const open = new Set();
    const server = net.createServer((caller) => {
      const called = net.connect(port, host);
      for (const [one, other] of [[caller, called], [called, caller]]) {
        open.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    const now = () => open.forEach((socket) => socket.destroy());
    const close = () => {
      server.close();
      now();
    };
    server.listen(0, "127.0.0.1", () => resolve({ port: server.address().port, now, close }));
  });
