/** What has arrived and is not shown yet. Bounded: what a busy topic sends beyond it is counted, the oldest first. */
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

  /** How many were skipped since this was last asked; none is told while it is paused. */
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

  /** How many wait, those included that are skipped already. */
  get size(): number {
    return this.waiting.length + this.skippedCount;
  }
}
