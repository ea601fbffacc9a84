// A mail server, as real as a server that sends mail needs it: it takes every mail over SMTP, and keeps it.

import { simpleParser } from "mailparser"
import { SMTPServer } from "smtp-server"

/** Milliseconds. A mail waits in the database until the next round of sending. */
const ARRIVES_WITHIN = 30_000

/** @returns {Promise<MailSink>} that listens on a free port of this machine */
export async function startMailSink() {
  const sink = new MailSink()
  await sink.listen(0)
  return sink
}

class MailSink {
  #server
  #arrived = []
  #waiting = []

  /** @param {number} port 0 for any */
  async listen(port) {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      onData: (stream, session, done) => void this.#take(stream, session).then(() => done(), done),
    })
    await new Promise((resolve, reject) => {
      this.#server.once("error", reject)
      this.#server.listen(port, "127.0.0.1", resolve)
    })
    this.port = this.#server.server.address().port
  }

  /** From now on nobody answers, until it listens again. */
  close() {
    return new Promise((resolve) => this.#server.close(resolve))
  }

  /**
   * The first mail to `address` whose subject matches, each mail once.
   *
   * @returns {Promise<object>} `subject`, `text`, `html`, `headers`, `link`: the one address that text and HTML both hold
   */
  async next(address, subject) {
    const wanted = (mail) => mail.recipients.includes(address) && subject.test(mail.subject)
    const at = this.#arrived.findIndex(wanted)
    if (at >= 0) return this.#arrived.splice(at, 1)[0]
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const others = this.#arrived.map((mail) => `${mail.recipients}: ${mail.subject}`).join("; ")
        reject(new Error(`no mail ${subject} to ${address}, but: ${others || "none"}`))
      }, ARRIVES_WITHIN)
      this.#waiting.push({ wanted, resolve: (mail) => (clearTimeout(timer), resolve(mail)) })
    })
  }

  /** Subjects of what arrived for `address`, and was not taken yet. */
  subjectsFor(address) {
    return this.#arrived.filter((mail) => mail.recipients.includes(address)).map((mail) => mail.subject)
  }

  async #take(stream, { envelope }) {
    const { subject, text, html, headers } = await simpleParser(stream)
    const recipients = envelope.rcptTo.map(({ address }) => address)
    const mail = { recipients, subject, text, html, headers, link: linkOf(text, html) }
    const at = this.#waiting.findIndex(({ wanted }) => wanted(mail))
    if (at >= 0) this.#waiting.splice(at, 1)[0].resolve(mail)
    else this.#arrived.push(mail)
  }
}

/** Returns the main link of a mail: the first address of the text that is also one of the HTML's links. */
function linkOf(text, html) {
  const links = [...(html || "").matchAll(/href="([^"]+)"/g)].map(([, href]) => unescaped(href))
  return (text ?? "").match(/https?:\/\/[^\s<>]+/g)?.find((url) => links.includes(url)) ?? null
}

const unescaped = (attribute) =>
  attribute
    .replaceAll(/&#x([0-9a-f]+);/gi, (_, digits) => String.fromCodePoint(parseInt(digits, 16)))
    .replaceAll("&amp;", "&")
