import { type MouseEvent, memo, type ReactNode } from 'react';
import { type Piece, pieces } from './ansi';
import type { Line } from './kept';
import classes from './LogView.module.css';

/** The height of each line, in pixels; LogView.module.css has it too. */
export const rowHeight = 20;

/** How many characters of a line show: browsers are slow to draw one of a million. */
export const mostShown = 10_000;

type Props = {
  line: Line;
  top: number;
  gutter: string;
  linked: boolean;
  hit: boolean;
  query: string;
  go: (event: MouseEvent<HTMLAnchorElement>) => void;
};

/** One line of a log: its number, which is its address, and its text. */
export const LogRow = memo(function LogRow({ line, top, gutter, linked, hit, query, go }: Props) {
  const { number, text, time, plain } = line;
  return (
    <div className={classes.row} style={{ top }} data-linked={linked || undefined} data-hit={hit || undefined} title={time}>
      <a href={`#L${number}`} className={classes.number} style={{ width: gutter }} aria-label={`Line ${number}`} onClick={go}>
        {number}
      </a>
      <span className={classes.text} data-marker={plain.startsWith('==>') || undefined}>
        {query && plain.toLowerCase().includes(query) ? marked(plain.slice(0, mostShown), query) : pieces(text, mostShown).map(styled)}
        {plain.length > mostShown && <em>{` … and ${(plain.length - mostShown).toLocaleString('en')} characters more: download the log`}</em>}
      </span>
    </div>
  );
});

/** styled shows a piece of a line as a terminal would. */
function styled(piece: Piece, key: number): ReactNode {
  const { text, bold, dim, italic, underline, color, background } = piece;
  if (!bold && !dim && !italic && !underline && !color && !background) return text;
  return (
    <span
      key={key}
      className={classes.piece}
      data-bold={bold || undefined}
      data-dim={dim || undefined}
      data-italic={italic || undefined}
      data-underline={underline || undefined}
      data-color={color}
      data-background={background}
      style={{ color: custom(color), backgroundColor: custom(background) }}
    >
      {text}
    </span>
  );
}

/** custom is a color that has no name: the stylesheet knows those with one. */
function custom(color: string | undefined): string | undefined {
  return color?.startsWith('rgb') ? color : undefined;
}

/** marked shows where a line holds what is searched for; colors give way. */
function marked(text: string, query: string): ReactNode[] {
  const parts: ReactNode[] = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(query); at >= 0; at = lower.indexOf(query, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + query.length)}</mark>);
    from = at + query.length;
  }
  return [...parts, text.slice(from)];
}
