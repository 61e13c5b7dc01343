import { Alert, Button } from '@mantine/core';
import IconKey from '@tabler/icons-react/dist/esm/icons/IconKey.mjs';
import type { ReactNode } from 'react';
import { Copy } from './Copy';
import classes from './settings.module.css';

/** What is shown this once: texts to copy, each by what it is, and words on what to do with them. */
export type Shown = { title: string; note: ReactNode; texts: Record<string, string> };

/** Shows a secret until somebody says that they have it; nobody can ask for it again. */
export function Once({ shown, done }: { shown: Shown | undefined; done: () => void }) {
  const texts = Object.entries(shown?.texts ?? {});
  // The status stands here before there is a secret, so that screen readers tell of one.
  return (
    <div role="status">
      {shown && (
        <Alert color="dock" variant="light" icon={<IconKey />} title={shown.title} role="group" classNames={{ body: classes.once }}>
          <div className={classes.note}>{shown.note}</div>
          {texts.map(([what, text]) => (
            <div key={what} className={classes.text}>
              {texts.length > 1 && <strong>{what}</strong>}
              <Copy text={text} what={what} />
            </div>
          ))}
          <Button size="xs" variant="default" mt="sm" onClick={done}>
            I have it
          </Button>
        </Alert>
      )}
    </div>
  );
}
