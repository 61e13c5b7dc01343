import { ActionIcon, Button, Popover, TextInput } from '@mantine/core';
import IconChevronDown from '@tabler/icons-react/dist/esm/icons/IconChevronDown.mjs';
import IconPlayerPlay from '@tabler/icons-react/dist/esm/icons/IconPlayerPlay.mjs';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { StartBuild } from '../api/builds';
import { useChange } from '../api/useChange';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Failure } from '../parts/Failure';
import classes from './StartForm.module.css';

/** Starts a build of an image: of its own ref by the button, of another one by the form beside it. */
export function StartForm({ image }: { image: ImageFieldsFragment }) {
  const start = useChange(StartBuild);
  const navigate = useNavigate();
  const [ref, setRef] = useState('');

  async function run(other?: string) {
    const done = await start.run({ image: image.id, ...(other && { ref: other }) });
    if (done) void navigate(`/builds/${encodeURIComponent(done.startBuild.build.id)}`);
  }

  return (
    <div className={classes.start}>
      <Button.Group>
        <Button leftSection={<IconPlayerPlay size={16} />} loading={start.busy} disabled={image.suspended} onClick={() => void run()}>
          Build now
        </Button>
        <Popover position="bottom-end" trapFocus>
          <Popover.Target>
            <ActionIcon variant="filled" size={36} className={classes.other} disabled={image.suspended} aria-label="Build another branch, tag or commit">
              <IconChevronDown size={16} />
            </ActionIcon>
          </Popover.Target>
          <Popover.Dropdown>
            <form
              className={classes.form}
              onSubmit={(event) => {
                event.preventDefault();
                void run(ref.trim());
              }}
            >
              <TextInput
                label="Branch, tag or commit"
                placeholder={image.source.ref}
                value={ref}
                onChange={(event) => setRef(event.currentTarget.value)}
                spellCheck={false}
              />
              <Button type="submit" loading={start.busy}>
                Build it
              </Button>
            </form>
          </Popover.Dropdown>
        </Popover>
      </Button.Group>
      {start.error && (
        <div className={classes.failure}>
          <Failure error={start.error} />
        </div>
      )}
    </div>
  );
}
