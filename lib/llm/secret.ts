/** Characters in a row that give a secret away. Shorter secrets ("none", "EMPTY", "ollama") are placeholders. */
const PIECE = 8;

/** A text that neither printing, JSON nor inspection shows. */
export class Secret {
  readonly #value: string;
  readonly #pieces: readonly string[];

  /** Hides a value. @throws if it could not be sent in a header (then a client's own error would print it) */
  constructor(value: string) {
    if (!/^[\x21-\x7e]+$/.test(value)) {
      throw new Error("secret: expected printable ASCII without spaces, found something else; set it again");
    }
    this.#value = value;
    this.#pieces = Array.from(
      { length: Math.max(0, value.length - PIECE + 1) },
      (_, i) => value.slice(i, i + PIECE),
    );
  }

  /** The text itself, for the one place that sends it. */
  reveal(): string {
    return this.#value;
  }

  /** `text` without the secret and without any eight characters in a row of it. */
  redact(text: string): string {
    const found = this.#pieces.filter((piece) => text.includes(piece));
    if (found.length === 0) return text;
    const hidden = new Uint8Array(text.length);
    for (const piece of found) {
      for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + 1)) {
        hidden.fill(1, at, at + PIECE);
      }
    }
    let shown = "";
    for (let i = 0; i < text.length; i++) {
      if (!hidden[i]) shown += text[i];
      else if (!hidden[i - 1]) shown += "[redacted]";
    }
    return shown;
  }

  /** "[redacted]", whatever the value. */
  toString(): string {
    return "[redacted]";
  }
  /** Likewise. */
  toJSON(): string {
    return "[redacted]";
  }
  /** Likewise. */
  [Symbol.for("Deno.customInspect")](): string {
    return "[redacted]";
  }
  /** Likewise. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[redacted]";
  }
}
