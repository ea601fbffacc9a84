// A person in front of a browser: what they do, in the words of the pages.

import assert from "node:assert/strict"

/** Milliseconds. Nothing that a person waits for takes longer, not even on a busy machine. */
const PATIENCE = 15_000

export class Person {
  /** @param {object} who `name`, `email`, `password` */
  constructor(site, who, { page, complaints }) {
    page.setDefaultTimeout(PATIENCE)
    Object.assign(this, { site, page, complaints }, who)
    this.organization = `${this.name}'s company`
  }

  /** @param {string} path or a whole address, as a mail has it */
  goTo(path) {
    return this.page.goto(new URL(path, this.site.url).href)
  }

  /** A field by its label, whether or not it has to be filled in. */
  field(label) {
    return this.page.getByLabel(new RegExp(`^\\s*${label.replaceAll(/\W/g, "\\$&")}(\\s+optional)?\\s*$`))
  }

  async fill(values) {
    for (const [label, value] of Object.entries(values)) await this.field(label).fill(value)
  }

  /** Presses a button of the page's main part. */
  press(name) {
    return this.page.getByRole("main").getByRole("button", { name, exact: typeof name === "string" }).click()
  }

  /** Follows a link, whether it looks like one or like a button. */
  follow(name, place = this.page) {
    const options = { name, exact: typeof name === "string" }
    const buttonLike = place.locator("a").and(this.page.getByRole("button", options))
    return place.getByRole("link", options).or(buttonLike).first().click()
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

  /** @param {{email?: string}} others instead of this person's own */
  async fillSignUp({ email = this.email } = {}) {
    const { name, organization, password } = this
    await this.fill({ "Your name": name, "Email address": email, Organization: organization })
    await this.fill({ Password: password, "Password again": password })
  }

  async signUp() {
    await this.goTo("/registrations/new")
    await this.fillSignUp()
    await this.press("Sign up")
    await this.hasMail()
  }

  /** Waits for the page that says that a mail is on its way. */
  async hasMail() {
    await this.page.getByRole("heading", { name: "Check your mail" }).waitFor()
  }

  /** Waits for the page that explains a link that does not work, and offers a way on. */
  async isTooLate() {
    await this.page.getByRole("heading", { name: /no longer valid|no longer be used/ }).waitFor()
    await this.page.getByRole("main").locator('a[role="button"]').first().waitFor()
  }

  /** Follows the link of the mail, and enters the password that its page asks for. */
  async confirm() {
    const { link } = await this.site.mails.next(this.email, /confirm/i)
    await this.confirmBy(link)
  }

  async confirmBy(link) {
    await this.goTo(link)
    await this.fill({ Password: this.password })
    await this.press("Confirm this address")
    await this.isTold(/confirmed/i)
  }

  /** Follows the link of a mail, and presses the button of its page. */
  async unlockBy(link) {
    await this.goTo(link)
    await this.press("Unlock the account")
    await this.isTold(/unlocked/i)
  }

  async fillSignIn({ email = this.email, password = this.password } = {}) {
    await this.fill({ "Email address": email, Password: password })
  }

  /** On the page that the link of a mail leads to. */
  async setPassword(password) {
    await this.fill({ "New password": password, "New password again": password })
    await this.press("Set the password")
    await this.isTold("Your password is changed.")
    this.password = password
  }

  /** Tries to sign in, and accepts any outcome. */
  async trySignIn(given = {}) {
    await this.goTo("/sessions/new")
    await this.fillSignIn(given)
    await this.press("Sign in")
  }

  /** Waits for the sign-in page to say no. */
  async isRefused(reason = /wrong/) {
    await this.page.locator(".form-errors").filter({ hasText: reason }).waitFor()
    await this.isSignedOut()
  }

  async signIn() {
    await this.trySignIn()
    await this.isSignedIn()
  }

  /** The same person in front of another browser, where they are not signed in. */
  inAnotherBrowser(options = {}) {
    return this.site.opens(this, options)
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

  /** The page of this person's own organization. */
  async goToOrganization() {
    await this.goTo("/account/organizations")
    await this.follow(this.organization)
    await this.page.getByRole("heading", { name: this.organization, level: 1 }).waitFor()
  }

  /** @returns {Promise<string>} the path of the new application's page */
  async createApplication(name) {
    await this.goToOrganization()
    await this.follow("New application")
    await this.fill({ Name: name })
    await this.press("Create application")
    await this.page.getByRole("heading", { name, level: 1 }).waitFor()
    return new URL(this.page.url()).pathname
  }

  /**
   * @param {{name?: string, scope?: string, expires?: string}} settings labels of the form's choices
   * @returns {Promise<string>} a new token, which the page shows this once
   */
  async createToken({ name = "", scope, expires } = {}) {
    await this.goTo("/account/tokens")
    await this.fill({ Name: name })
    if (scope) await this.page.getByRole("radio", { name: scope, exact: true }).check()
    if (expires) await this.field("Expires").selectOption(expires)
    await this.press("Create token")
    const shown = this.page.locator("code[data-copy]")
    await shown.waitFor()
    return shown.textContent()
  }

  async invalidateToken(token) {
    await this.goTo("/account/tokens")
    await this.confirmsIn(this.page.locator("main").locator("li, tr").filter({ hasText: token.slice(-4) }), /invalidate/i)
  }

  /** Invites somebody to this person's organization. */
  async invite(email) {
    await this.goToOrganization()
    await this.fill({ Email: email })
    await this.press("Send the invitation")
    await this.isTold(email)
  }

  /** On the page that an invitation leads to, as somebody new. */
  async acceptInvitation() {
    await this.fill({ Name: this.name, Password: this.password })
    await this.press("Accept the invitation")
    await this.isSignedIn()
  }

  /** Returns the row of another member on the page of an organization. */
  memberRow(other) {
    return this.page.getByRole("main").locator("li, tr").filter({ hasText: other.email })
  }

  /** Presses a dangerous button, and then the one that it unfolds. */
  confirms(name) {
    return this.confirmsIn(this.page.getByRole("main"), name)
  }

  async confirmsIn(place, name) {
    const box = place.locator("details.confirm").filter({ has: this.page.locator("summary", { hasText: name }) })
    await box.locator("summary").click()
    await box.getByRole("button").last().click()
  }

  /** Follows the link to something dangerous in the admin, and presses the button there. */
  async does(action) {
    await this.follow(action, this.page.getByRole("main"))
    await this.page.getByRole("heading", { name: /\?$/ }).waitFor()
    await this.press(action)
  }
}
