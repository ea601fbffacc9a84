import net from "node:net"

/** @returns {Promise<number>} a port of this machine that nobody listens on */
export function freePort() {
  return new Promise((resolve, reject) => {
    const listener = net.createServer()
    listener.once("error", reject)
    listener.listen(0, "127.0.0.1", () => {
      const { port } = listener.address()
      listener.close(() => resolve(port))
    })
  })
}
