// Actions of an application written for the original, in the page. All events are written to `happened`.

/* global require, window */

const PusherLite = require("pusher_lite").default
const { LongPoll, Socket } = require("phoenix")

window.happened = []
const happens = (...what) => window.happened.push(what.join(" "))

/** As options of phoenix.js, which takes WebSocket when nothing is said. */
const optionsOf = (transport) => (transport === "long-polling" ? { transport: LongPoll } : {})

window.startApplication = (appKey, { transport, ...options }, topic) => {
  const pusher = new PusherLite(appKey, {
    ...options,
    socketOptions: { reconnectAfterMs: () => 50, rejoinAfterMs: () => 50, ...optionsOf(transport) },
    onSocketSuccess: () => happens("connected"),
    onSocketError: () => happens("connection failed"),
  })
  const channel = pusher.subscribe(topic, {
    onJoin: (id) => happens("came", id),
    onLeave: (id, current) => current.metas.length === 0 && happens("went", id),
    onSuccess: () => happens("joined"),
    onError: (response) => happens("refused", JSON.stringify(response)),
  })
  channel.bind("news", (payload) => happens("news", JSON.stringify(payload)))
  pusher.joinAll()
  window.pusher = pusher
  window.channel = channel
}

/** The same with phoenix.js itself, from the same bundle. */
window.startPhoenix = (url, { transport, ...options }, topic) => {
  const socket = new Socket(url, { ...options, ...optionsOf(transport) })
  socket.connect()
  const channel = socket.channel(`lobby:${options.params.app_key}:${topic}`)
  channel.on("news", (payload) => happens("phoenix news", JSON.stringify(payload)))
  channel.join().receive("ok", () => happens("phoenix joined"))
}
