// Temporary folders and clean-ups, carried out when the process ends, however it ends.

import fs from "node:fs"
import os from "node:os"
import path from "node:path"

const cleanUps = []

/** @returns {string} a new folder under the system's, removed at the end */
export function scratchFolder(name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `pusher-lite-${name}-`))
  atEnd(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }))
  return folder
}

/** @param {() => void} cleanUp synchronous, since it also runs when the process is going down; last added runs first */
export function atEnd(cleanUp) {
  cleanUps.push(cleanUp)
}

function cleanUpAll() {
  while (cleanUps.length > 0) {
    try {
      cleanUps.pop()()
    } catch (error) {
      console.error(`clean-up: ${error.message}`)
    }
  }
}

process.on("exit", cleanUpAll)
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => process.exit(1))
}
