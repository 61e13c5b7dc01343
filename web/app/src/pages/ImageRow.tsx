import { Badge, Button } from '@mantine/core';
import IconPlayerPlay from '@tabler/icons-react/dist/esm/icons/IconPlayerPlay.mjs';
import { Link, useNavigate } from 'react-router';
import { StartBuild } from '../api/builds';
import { useChange } from '../api/useChange';
import { words } from '../api/words';
import { graphql } from '../gql';
import type { ImageRowFragment } from '../gql/graphql';
import { Phase } from '../parts/Phase';
import { Duration, When } from '../parts/time';
import classes from './ImageRow.module.css';

export const ImageRowFields = graphql(`
  fragment ImageRow on Image {
    id
    name
    suspended
    destination
    source {
      repository
      ref
    }
    latestBuild {
      ...BuildRow
    }
  }
`);

/** One image in the list: what it is, how its latest build is, and a button for the next one. */
export function ImageRow({ image }: { image: ImageRowFragment }) {
  const { name, latestBuild: build, source } = image;
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Link to={`/images/${name}`} className={classes.name}>
          {name}
        </Link>
        {image.suspended && (
          <Badge variant="default" size="sm" tt="none">
            Suspended
          </Badge>
        )}
        <span className={classes.source} title={`${source.repository} at ${source.ref}`}>
          {short(source.repository)}
          <span className={classes.ref}>{source.ref}</span>
        </span>
      </div>
      {build ? (
        <Link to={`/builds/${encodeURIComponent(build.id)}`} className={classes.build}>
          <Phase phase={build.phase} />
          <span className={classes.when}>
            #{build.number} · <When at={build.queuedAt} />
            {build.startedAt && (
              <>
                {' · '}
                <Duration from={build.startedAt} to={build.finishedAt} seconds={build.durationSeconds} />
              </>
            )}
          </span>
        </Link>
      ) : (
        <span className={classes.none}>Never built</span>
      )}
      <Start image={image} />
    </li>
  );
}

/** short is a clone URL without what all of them have. */
function short(repository: string): string {
  return repository.replace(/^(https?|ssh|git):\/\/(git@)?/, '').replace(/\.git$/, '');
}

function Start({ image }: { image: ImageRowFragment }) {
  const start = useChange(StartBuild);
  const navigate = useNavigate();
  return (
    <div className={classes.start}>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconPlayerPlay size={14} />}
        loading={start.busy}
        disabled={image.suspended}
        aria-label={`Build ${image.name}`}
        onClick={async () => {
          const done = await start.run({ image: image.id });
          if (done) void navigate(`/builds/${encodeURIComponent(done.startBuild.build.id)}`);
        }}
      >
        Build
      </Button>
      {start.error && (
        <span role="alert" className={classes.problem}>
          {words(start.error)}
        </span>
      )}
    </div>
  );
}
