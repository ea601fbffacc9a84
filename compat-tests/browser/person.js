// A person in front of a browser: what they do, in the words of the pages.

import assert from "node:assert/strict"

export class Person {
  /** @param {object} who `name`, `email`, `password` */
  constructor(site, who, { page, complaints }) {
    Object.assign(this, { site, page, complaints }, who)
    this.organization = `${this.name}'s company`
  }

  /** @param {string} path or a whole address, as a mail has it */
  goTo(path) {
    return this.page.goto(new URL(path, this.site.url).href)
  }

  field(label) {
    return this.page.getByLabel(label, { exact: true })
  }

  async fill(values) {
    for (const [label, value] of Object.entries(values)) await this.field(label).fill(value)
  }

  /** Presses a button of the page's main part. */
  press(name) {
    return this.page.getByRole("main").getByRole("button", { name, exact: typeof name === "string" }).click()
  }

  follow(name) {
    return this.page.getByRole("link", { name, exact: typeof name === "string" }).first().click()
  }

  /** Waits until the page says so: in a message above it, or in its text. */
  async reads(text) {
    await this.page.getByText(text).first().waitFor()
  }

  /** Waits for the message above the page. */
  async isTold(text) {
    await this.page.locator(".flash").filter({ hasText: text }).waitFor()
  }

  /** Waits for an error beside the field. */
  async hasError(label, text) {
    const described = this.field(label).and(this.page.locator('[aria-invalid="true"]'))
    await described.waitFor()
    const ids = (await described.getAttribute("aria-describedby")).split(" ")
    const texts = await Promise.all(ids.map((id) => this.page.locator(`[id="${id}"]`).textContent()))
    assert.match(texts.join(" "), text)
  }

  async signUp() {
    await this.goTo("/registrations/new")
    await this.fill({ Name: this.name, Email: this.email, Organization: this.organization, Password: this.password })
    await this.press("Sign up")
  }

  /** Follows the link of the mail. */
  async confirm() {
    const { link } = await this.site.mails.next(this.email, /confirm/i)
    await this.goTo(link)
  }

  async signIn(password = this.password) {
    await this.goTo("/sessions/new")
    await this.fill({ Email: this.email, Password: password })
    await this.press("Sign in")
    if (password === this.password) await this.isSignedIn()
  }

  async signOut() {
    await this.page.getByRole("banner").getByRole("button", { name: "Sign out" }).click()
    await this.isSignedOut()
  }

  isSignedIn() {
    return this.page.getByRole("banner").getByRole("button", { name: "Sign out" }).waitFor()
  }

  isSignedOut() {
    return this.page.getByRole("banner").getByRole("link", { name: "Sign in" }).waitFor()
  }
}
