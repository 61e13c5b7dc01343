import type { CombinedError } from 'urql';
import { codeOf, words } from '../api/words';

/** What the server says of a form: at names a field's path in the input; rest tells that some of it is of no field that shows. */
export type Problems = { at: (path: string) => string | undefined; rest: boolean };

const fields = /^(name|source\.\w+|destination|tags|platforms|buildArgs|timeoutSeconds)\b[^\s]*/;

/** problemsOf takes apart the server's words: one sentence for each field, which begins with the field's path. */
export function problemsOf(error: CombinedError | undefined): Problems {
  if (!error || codeOf(error) !== 'BAD_USER_INPUT') return { at: () => undefined, rest: false };
  const found = new Map<string, string[]>();
  let rest = false;
  for (const sentence of sentences(words(error))) {
    const path = fields.exec(sentence)?.[0];
    if (!path) rest = true;
    else found.set(path, [...(found.get(path) ?? []), upper(sentence.slice(path.length).trim())]);
  }
  return {
    rest,
    at: (path) => {
      const said = [...found].filter(([of]) => of === path || of.startsWith(`${path}[`)).flatMap(([, texts]) => texts);
      return said.length > 0 ? said.join(' ') : undefined;
    },
  };
}

/** sentences cuts a text before each field's path that follows a sentence's end. */
function sentences(text: string): string[] {
  return text.split(/(?<=\.)\s+(?=(?:name|source\.\w+|destination|tags|platforms|buildArgs|timeoutSeconds)\b)/);
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
