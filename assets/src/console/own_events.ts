/** What has been sent and not been heard: the rest was never on the topic, or is long gone. */
const MAX_WAITING = 50;

/**
 * Which events are the console's own. The server does not say who published what it passes on, but it passes it on as it
 * was spelled: an event that is told word for word as it was sent is taken for one's own, once.
 */
export class OwnEvents {
  private waiting: string[] = [];

  /** Call before sending: the event may be heard before the answer. */
  sending(topic: string, event: string, payload: string): void {
    this.waiting.push(key(topic, event, payload));
    if (this.waiting.length > MAX_WAITING) this.waiting.shift();
  }

  /** It was not sent after all. */
  failed(topic: string, event: string, payload: string): void {
    this.heard(topic, event, payload);
  }

  /** Whether an event is one's own. */
  heard(topic: string, event: string, payload: string): boolean {
    const at = this.waiting.indexOf(key(topic, event, payload));
    if (at >= 0) this.waiting.splice(at, 1);
    return at >= 0;
  }
}

function key(topic: string, event: string, payload: string): string {
  return JSON.stringify([topic, event, payload]);
}
