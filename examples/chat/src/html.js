const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

class Markup {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/** A template literal whose values are escaped, so that text never becomes markup; what `html` itself made is kept. */
export function html(parts, ...values) {
  return new Markup(String.raw({ raw: parts }, ...values.map(escape)));
}

function escape(value) {
  if (value instanceof Markup) return value.text;
  if (value === undefined) return "";
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
