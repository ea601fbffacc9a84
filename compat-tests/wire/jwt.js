// JWTs made with the installation's secret, valid or deliberately not.

import crypto from "node:crypto"

const HASHES = { HS256: "sha256", HS384: "sha384", HS512: "sha512" }

/**
 * @param {{alg: string}} header `alg: "none"` makes an empty signature
 * @param {object} claims
 * @param {string} secret used as the raw bytes of the string
 * @returns {string}
 */
export function signJwt(header, claims, secret) {
  const signed = `${encode(header)}.${encode(claims)}`
  const hash = HASHES[header.alg]
  const signature = hash ? crypto.createHmac(hash, secret).update(signed).digest("base64url") : ""
  return `${signed}.${signature}`
}

const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url")

/**
 * @param {string} jwt
 * @returns {{header: object, claims: object} | null} null when it is no JWT; the signature is not looked at
 */
export function readJwt(jwt) {
  const [header, claims] = String(jwt).split(".")
  try {
    return { header: decode(header), claims: decode(claims) }
  } catch {
    return null
  }
}

const decode = (part) => JSON.parse(Buffer.from(part ?? "", "base64url").toString())

/** Returns true if `secret` signed this HS512 JWT. */
export function isSignedBy(jwt, secret) {
  const at = jwt.lastIndexOf(".")
  const expected = crypto.createHmac("sha512", secret).update(jwt.slice(0, at)).digest("base64url")
  return jwt.slice(at + 1) === expected
}

/** The claims that `POST /api/sessions` gives, for making variants of them. `now` is in seconds. */
export function standardClaims(userId, pem, now = Math.floor(Date.now() / 1000)) {
  return {
    aud: `User:${userId}`,
    exp: now + 864_000,
    iat: now,
    iss: "ExPusherLite",
    jti: crypto.randomUUID(),
    pem,
    sub: `User:${userId}`,
    typ: "access",
  }
}
