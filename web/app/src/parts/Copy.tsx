import { ActionIcon, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import IconCheck from '@tabler/icons-react/dist/esm/icons/IconCheck.mjs';
import IconCopy from '@tabler/icons-react/dist/esm/icons/IconCopy.mjs';
import classes from './Copy.module.css';

/** A text in a fixed font with a button that copies the whole of it. */
export function Copy({ text, shown, what }: { text: string; shown?: string; what: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  const label = clipboard.copied ? 'Copied' : `Copy the ${what}`;
  return (
    <span className={classes.copy}>
      <code className={classes.text} title={text}>
        {shown ?? text}
      </code>
      <Tooltip label={label} withArrow>
        <ActionIcon size="sm" variant="subtle" color="gray" aria-label={label} onClick={() => clipboard.copy(text)}>
          {clipboard.copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
        </ActionIcon>
      </Tooltip>
    </span>
  );
}
