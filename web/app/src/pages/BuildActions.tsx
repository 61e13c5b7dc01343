import { Button } from '@mantine/core';
import IconPlayerStop from '@tabler/icons-react/dist/esm/icons/IconPlayerStop.mjs';
import IconRefresh from '@tabler/icons-react/dist/esm/icons/IconRefresh.mjs';
import { useNavigate } from 'react-router';
import { CancelBuild, RetryBuild } from '../api/builds';
import { useChange } from '../api/useChange';
import type { BuildFieldsFragment } from '../gql/graphql';
import { Failure } from '../parts/Failure';
import { isDone } from '../parts/Phase';
import classes from './Build.module.css';

/** Ends a build, or runs it once more. */
export function BuildActions({ build }: { build: BuildFieldsFragment }) {
  const cancel = useChange(CancelBuild);
  const retry = useChange(RetryBuild);
  const navigate = useNavigate();
  const done = isDone(build.phase);
  return (
    <div className={classes.actions}>
      {!done && (
        <Button variant="default" leftSection={<IconPlayerStop size={16} />} loading={cancel.busy} onClick={() => void cancel.run({ id: build.id })}>
          Cancel build
        </Button>
      )}
      {done && build.image && (
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} />}
          loading={retry.busy}
          onClick={async () => {
            const started = await retry.run({ id: build.id });
            if (started) void navigate(`/builds/${encodeURIComponent(started.retryBuild.build.id)}`);
          }}
        >
          Build again
        </Button>
      )}
      <Failure error={cancel.error ?? retry.error} />
    </div>
  );
}
