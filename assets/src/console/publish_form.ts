import { byId, element } from "../site/dom";
import { AccessEnded, type Backend, type NewEvent, Refused } from "./backend";
import type { OwnEvents } from "./own_events";

/** The ids of the fields, by what the server calls them in its errors. */
const FIELDS: Record<string, string> = { name: "event-name", payload: "event-payload" };

/** Publishes without leaving the page. Members who are no admins have no such form. */
export function bringPublishingToLife(backend: Backend, own: OwnEvents, topic: () => string): void {
  const form = document.getElementById("publish") as HTMLFormElement | null;
  if (!form) return;
  let newest = 0;
  const publish = async () => {
    const number = ++newest;
    const event: NewEvent = {
      topic: topic(),
      name: byId<HTMLInputElement>("event-name").value.trim(),
      payload: byId<HTMLTextAreaElement>("event-payload").value.trim(),
    };
    const problems = problemOf(event) ?? (await send(backend, own, event));
    // A late answer to an earlier event says nothing about this one.
    if (number === newest) show(problems);
  };
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    void publish();
  });
  byId("event-payload").addEventListener("keydown", (key) => {
    if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) form.requestSubmit();
  });
}

/** Messages by field; none when all is well. */
export type Problems = Record<string, string[]>;

/** Returns the problems for which the server would refuse the event, to show them immediately. */
export function problemOf({ name, payload }: NewEvent): Problems | undefined {
  if (name === "") return { name: ["can't be blank"] };
  try {
    const value: unknown = JSON.parse(payload);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? undefined : { payload: ["must be an object: {…}"] };
  } catch (error) {
    return { payload: [`is not valid JSON: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

async function send(backend: Backend, own: OwnEvents, event: NewEvent): Promise<Problems | undefined> {
  own.sending(event.topic, event.name, event.payload);
  try {
    await backend.publish(event);
    return undefined;
  } catch (error) {
    own.failed(event.topic, event.name, event.payload);
    if (error instanceof Refused) return error.errors;
    if (error instanceof AccessEnded) return { base: ["You are signed out, or no longer allowed to publish here."] };
    return { base: [`Not published: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

/** Each field's errors beside it, and what is wrong with none of them below. */
function show(problems: Problems = {}): void {
  for (const [field, id] of Object.entries(FIELDS)) showBeside(id, problems[field] ?? []);
  const others = Object.entries(problems).filter(([field]) => !(field in FIELDS));
  byId("publish-problem").textContent = others
    .map(([field, messages]) => (field === "base" ? "" : `The ${field} `) + messages.join(", "))
    .join("; ");
  const first = Object.entries(FIELDS).find(([field]) => problems[field]);
  if (first) byId(first[1]).focus();
}

function showBeside(id: string, messages: string[]): void {
  const field = byId(id);
  const errorsId = `${id}-errors`;
  // Also those that the server wrote beside it, before this script was there.
  document.getElementById(errorsId)?.remove();
  const described = new Set((field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  described.delete(errorsId);
  if (messages.length > 0) {
    const errors = element("p", "field-errors", messages.join(", "));
    errors.id = errorsId;
    field.after(errors);
    described.add(errorsId);
  }
  if (messages.length > 0) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  if (described.size > 0) field.setAttribute("aria-describedby", [...described].join(" "));
  else field.removeAttribute("aria-describedby");
}
