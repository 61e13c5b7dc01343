import { memo, type ReactNode } from 'react';
import { Link } from 'react-router';
import { type Piece, pieces } from './ansi';
import type { Line } from './store';
import classes from './LogView.module.css';

/** The height of each line, in pixels; LogView.module.css has it too. */
export const rowHeight = 20;

type Props = { line: Line; top: number; gutter: string; linked: boolean; hit: boolean; query: string };

/** One line of a log: its number, which is its address, and its text. */
export const LogRow = memo(function LogRow({ line, top, gutter, linked, hit, query }: Props) {
  return (
    <div className={classes.row} style={{ top }} data-linked={linked || undefined} data-hit={hit || undefined} title={line.time}>
      <Link to={`#L${line.number}`} replace preventScrollReset className={classes.number} style={{ width: gutter }} aria-label={`Line ${line.number}`}>
        {line.number}
      </Link>
      <span className={classes.text} data-marker={line.plain.startsWith('==>') || undefined}>
        {query && line.plain.toLowerCase().includes(query) ? marked(line.plain, query) : pieces(line.text).map(styled)}
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
