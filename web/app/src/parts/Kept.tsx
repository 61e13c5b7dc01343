import { ActionIcon, Text } from '@mantine/core';
import IconTrash from '@tabler/icons-react/dist/esm/icons/IconTrash.mjs';
import { type ReactNode, useState } from 'react';
import type { CombinedError } from 'urql';
import { Confirm } from './Confirm';
import classes from './settings.module.css';

/** Something that is kept: its name, words on it, and what to call it where it is deleted. */
export type Item = { id: string; name: ReactNode; words: ReactNode; called: string };

type Props = {
  items: Item[];
  /** What becomes of builds without it. */
  children: ReactNode;
  change: { busy: boolean; error: CombinedError | undefined; forget: () => void };
  /** remove tells whether it went. */
  remove: (id: string) => Promise<boolean>;
};

/** What is kept and cannot be shown, one in a line, each with a button that deletes it after a question. */
export function Kept({ items, children, change, remove }: Props) {
  const [leaving, setLeaving] = useState<Item>();
  if (items.length === 0) return null;
  return (
    <>
      <ul className={classes.list}>
        {items.map((item) => (
          <li key={item.id} className={classes.item}>
            <div className={classes.what}>
              <strong>{item.name}</strong>
              <Text c="dimmed" size="sm">
                {item.words}
              </Text>
            </div>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Delete ${item.called}`} onClick={() => setLeaving(item)}>
              <IconTrash size={16} />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <Confirm
        opened={Boolean(leaving)}
        title={`Delete ${leaving?.called ?? ''}?`}
        confirm="Delete"
        busy={change.busy}
        error={change.error}
        onConfirm={async () => {
          if (leaving && (await remove(leaving.id))) setLeaving(undefined);
        }}
        onClose={() => {
          setLeaving(undefined);
          change.forget();
        }}
      >
        {children}
      </Confirm>
    </>
  );
}
