/** A piece of a line in one style; color and background are names of the 16 classic colors, or CSS colors. */
export type Piece = { text: string; bold?: boolean; dim?: boolean; italic?: boolean; underline?: boolean; color?: string; background?: string };

type Style = Omit<Piece, 'text'>;

// ECMA-48: CSI sequences (the ones that end in m are SGR: style), OSC sequences up to BEL or ST, and other escapes.
const escapes = /\x1b(?:\[([0-9;:]*)([ -/]*[@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])/g;
const controls = /[\x00-\x08\x0b-\x1f\x7f]/g;

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** plain is a line as text alone: what is searched, copied and kept. */
export function plain(text: string): string {
  if (!/[\x00-\x1f\x7f]/.test(text)) return text;
  return lastWritten(text).replace(escapes, '').replace(controls, '');
}

/** pieces cuts the first characters of a line, so many at most, where their style changes. Each line begins without style. */
export function pieces(text: string, most: number): Piece[] {
  if (!/[\x00-\x1f\x7f]/.test(text)) return [{ text: text.slice(0, most) }];
  const found: Piece[] = [];
  let style: Style = {};
  let from = 0;
  const line = lastWritten(text);
  let room = most;
  const add = (to: number) => {
    const shown = line.slice(from, to).replace(controls, '').slice(0, room);
    if (shown) found.push({ text: shown, ...style });
    room -= shown.length;
  };
  for (const match of line.matchAll(escapes)) {
    add(match.index);
    from = match.index + match[0].length;
    if (room === 0) return found;
    if (match[2] === 'm') style = restyled(style, match[1] ?? '');
  }
  add(line.length);
  return found;
}

/** lastWritten is what a terminal shows of a line that was written over by carriage returns, as progress bars do. */
function lastWritten(text: string): string {
  const line = text.replace(/\r+$/, '');
  return line.slice(line.lastIndexOf('\r') + 1);
}

function restyled(before: Style, codes: string): Style {
  let style = { ...before };
  const numbers = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i]!;
    if (code === 38 || code === 48) {
      const [color, used] = extended(numbers.slice(i + 1));
      style[code === 38 ? 'color' : 'background'] = color;
      i += used;
    } else {
      style = { ...(code === 0 ? {} : style), ...simple(code) };
    }
  }
  return style;
}

function simple(code: number): Style {
  if (code === 1) return { bold: true };
  if (code === 2) return { dim: true };
  if (code === 3) return { italic: true };
  if (code === 4) return { underline: true };
  if (code === 22) return { bold: false, dim: false };
  if (code === 23) return { italic: false };
  if (code === 24) return { underline: false };
  if (code === 39) return { color: undefined };
  if (code === 49) return { background: undefined };
  if (code >= 30 && code <= 37) return { color: names[code - 30] };
  if (code >= 40 && code <= 47) return { background: names[code - 40] };
  if (code >= 90 && code <= 97) return { color: `bright-${names[code - 90]}` };
  if (code >= 100 && code <= 107) return { background: `bright-${names[code - 100]}` };
  return {};
}

/** extended reads a color of 256 (5;n) or of 16 million (2;r;g;b), and how many numbers it took. */
function extended([kind, a = 0, b = 0, c = 0]: number[]): [string | undefined, number] {
  if (kind === 2) return [`rgb(${a} ${b} ${c})`, 4];
  if (kind !== 5) return [undefined, 1];
  if (a < 16) return [(a < 8 ? '' : 'bright-') + names[a % 8], 2];
  if (a >= 232) return [`rgb(${(a - 232) * 10 + 8} ${(a - 232) * 10 + 8} ${(a - 232) * 10 + 8})`, 2];
  const level = (n: number) => (n === 0 ? 0 : n * 40 + 55);
  const cube = a - 16;
  return [`rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`, 2];
}
