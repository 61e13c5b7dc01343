import { Text } from '@mantine/core';
import { mostLines } from './kept';
import classes from './LogView.module.css';

/** Says which lines do not show, and why: the server keeps no more of a log, or this page, which was open while they came. */
export function Missing({ first, dropped }: { first: number; dropped: number }) {
  if (first === 1) return null;
  const which = `Lines 1 to ${(first - 1).toLocaleString('en')}`;
  return (
    <Text className={classes.aside} c="dimmed" size="sm">
      {dropped === 0
        ? `${which} are not kept: the log is longer than what is kept of one.`
        : `${which} are left out: a page holds the newest ${mostLines.toLocaleString('en')} lines of a log, and fewer where they are very long. The download has what is kept.`}
    </Text>
  );
}
