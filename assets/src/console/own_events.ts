/** Maximum number of sent events that wait to be received. The rest was never on the topic, or is long gone. */
const MAX_WAITING = 50;

/**
 * Recognizes the console's own events. The server does not say who published an event, but it passes an event on word
 * for word. So a received event that equals a sent one counts as the console's own, once.
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

  /** Returns true if an event is the console's own. */
  heard(topic: string, event: string, payload: string): boolean {
    const at = this.waiting.indexOf(key(topic, event, payload));
    if (at >= 0) this.waiting.splice(at, 1);
    return at >= 0;
  }
}

function key(topic: string, event: string, payload: string): string {
  return JSON.stringify([topic, event, payload]);
}
