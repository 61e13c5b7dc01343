import type { CombinedError } from 'urql';
import { codeOf, words } from '../api/words';

/** What the server says of a form: at names a field, rest tells that some of it is of no field. */
export type FieldProblems = { at: (field: string) => string | undefined; rest: boolean };

/** fieldProblems takes apart the server's words for a form of the given fields: a sentence about a field begins with its name. */
export function fieldProblems(error: CombinedError | undefined, fields: string[]): FieldProblems {
  if (!error) return { at: () => undefined, rest: false };
  if (codeOf(error) !== 'BAD_USER_INPUT') return { at: () => undefined, rest: true };
  const names = fields.join('|').replaceAll('.', '\\.');
  const found = new Map<string, string[]>();
  let rest = false;
  for (const sentence of words(error).split(new RegExp(`(?<=\\.)\\s+(?=(?:${names}) )`))) {
    const field = new RegExp(`^(?:${names})(?= )`).exec(sentence)?.[0];
    if (!field) rest = true;
    else found.set(field, [...(found.get(field) ?? []), upper(sentence.slice(field.length + 1))]);
  }
  return { rest, at: (field) => found.get(field)?.join(' ') };
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
