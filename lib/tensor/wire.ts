/** Protobuf's wire format, as far as TensorFlow's settings need it: fields as bytes. */
import { utf8 } from "./pointers.ts";

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}

/** A field that is a message, or anything else told by its bytes. */
export const message = (field: number, content: readonly number[]): number[] => [
  ...varint(field << 3 | 2),
  ...varint(content.length),
  ...content,
];

export const text = (field: number, value: string): number[] => message(field, [...utf8(value)]);

/** A field that is a whole number from 0, or a truth value. */
export const int = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)];
