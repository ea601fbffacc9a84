// The JWT as `authToken`, out of the URL: phoenix.js 1.8, over both transports.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { PhoenixClient, TRANSPORTS } from "./phoenix-client.js"
import { leftOut, serversUnderTest } from "./servers.js"

const VERSION = "1.8.16"

for (const { name, missing, start } of await serversUnderTest()) {
  describe(`authToken on ${name}`, { skip: leftOut(missing) }, () => {
    let server
    const clients = []

    before(async () => {
      server = await start()
    })

    after(async () => {
      for (const client of clients) client.disconnect()
      await server?.dispose()
    })

    function connect(transport, uid, authToken) {
      const client = new PhoenixClient(VERSION, server, { uid, jwt: null }, { transport, options: { authToken } })
      clients.push(client)
      return client.connect()
    }

    for (const transport of TRANSPORTS) {
      test(`it lets in over ${transport}, and is asked for at each attempt`, async () => {
        let jwt = "no.jwt.atall"
        const client = connect(transport, "alice", () => jwt)
        await client.refused()
        jwt = server.credentials.get("jwt.admin")
        const channel = client.channel(`authToken ${transport}`).on("message")
        await channel.join()
        channel.push("message", { n: 1 })
        await channel.hears("message", { n: 1 })
        await channel.sees({ alice: 1 })
        assert.ok(!client.socket.endPointURL().includes(jwt))
      })

      test(`its permissions hold over ${transport}`, async () => {
        const channel = connect(transport, "mute", server.credentials.get("jwt.joinonly")).channel("authToken mute")
        await channel.join()
        await assert.rejects(channel.ask("message", {}), { response: { reason: "forbidden" } })
      })

      test(`without any there is no connection over ${transport}`, async () => {
        const client = connect(transport, "eve", undefined)
        await client.refused()
        client.disconnect()
      })
    }
  })
}
