/**
 * Events that have arrived and are not shown yet. Bounded: on a busy topic the oldest events beyond it are only
 * counted.
 */
export class Backlog<T> {
  private waiting: T[] = [];
  private skippedCount = 0;
  private isPaused = false;

  constructor(private readonly limit: number) {}

  add(item: T): void {
    this.waiting.push(item);
    if (this.waiting.length > this.limit) {
      this.waiting.shift();
      this.skippedCount += 1;
    }
  }

  /** The next `max` to show, in the order in which they came; none while it is paused. */
  take(max: number): T[] {
    return this.isPaused ? [] : this.waiting.splice(0, max);
  }

  /** Returns the number of events skipped since the last call, and zero while the console is paused. */
  takeSkipped(): number {
    if (this.isPaused) return 0;
    const skipped = this.skippedCount;
    this.skippedCount = 0;
    return skipped;
  }

  clear(): void {
    this.waiting = [];
    this.skippedCount = 0;
  }

  pause(paused: boolean): void {
    this.isPaused = paused;
  }

  get paused(): boolean {
    return this.isPaused;
  }

  /** Number of waiting events, including those skipped already. */
  get size(): number {
    return this.waiting.length + this.skippedCount;
  }
}
