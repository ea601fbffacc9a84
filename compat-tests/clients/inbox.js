// Waits for events instead of for time.

/** Milliseconds, generous: a machine that runs CI may be busy. */
const COMES_WITHIN = 30_000

export class Inbox {
  items = []
  #waiting = new Set()

  /** Takes something in and wakes whoever waits for it. */
  put = (item) => {
    this.items.push(item)
    for (const look of [...this.#waiting]) look()
  }

  /**
   * @param {(items: unknown[]) => unknown} condition
   * @param {string} what is awaited, for the error
   * @param {number} [within] milliseconds
   * @returns {Promise<unknown>} what `condition` answers once that is truthy
   */
  until(condition, what, within = COMES_WITHIN) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`${what} did not come; so far: ${JSON.stringify(this.items)}`))
      }, within)
      const look = () => {
        const result = condition(this.items)
        if (!result) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(result)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** The first item that deep-equals or fits; waits for it. */
  has(fits, what) {
    return this.until((items) => items.find(fits), what)
  }
}
