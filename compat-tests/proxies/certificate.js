// A certificate for `localhost` that nobody else trusts.

import { execFileSync } from "node:child_process"
import fs from "node:fs"
import path from "node:path"

const SUBJECT = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]

/**
 * @param {string} folder
 * @returns {{certificate: string, key: string, both: string, pem: string}} the files, one with both, and the certificate itself
 */
export function makeCertificate(folder) {
  const [certificate, key, both] = ["certificate.pem", "key.pem", "both.pem"].map((name) => path.join(folder, name))
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
  execFileSync("openssl", ["req", "-x509", ...kind, ...SUBJECT, "-keyout", key, "-out", certificate], { stdio: "pipe" })
  const pem = fs.readFileSync(certificate, "utf8")
  fs.writeFileSync(both, pem + fs.readFileSync(key, "utf8"), { mode: 0o600 })
  return { certificate, key, both, pem }
}
