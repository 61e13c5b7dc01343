import type { ReactNode } from 'react';
import type { BuildFieldsFragment } from '../gql/graphql';
import { triggerLabels } from '../parts/BuildTable';
import { Copy } from '../parts/Copy';
import { Duration, When, span } from '../parts/time';
import classes from './Build.module.css';

/** What there is to know of a build: its times, what was built, and how to pull it. */
export function BuildFacts({ build }: { build: BuildFieldsFragment }) {
  const { startedAt, finishedAt, commit, digest, references, image, billedSeconds } = build;
  const reference = references[0];
  return (
    <dl className={`card ${classes.facts}`}>
      <Fact name="Queued">
        <When at={build.queuedAt} />
      </Fact>
      <Fact name="Waited">
        <Duration from={build.queuedAt} to={startedAt ?? finishedAt} />
      </Fact>
      <Fact name={finishedAt ? 'Ran' : 'Running for'}>
        <Duration from={startedAt} to={finishedAt} seconds={build.durationSeconds} />
      </Fact>
      <Fact name="Billed">{billedSeconds == null ? '–' : span(billedSeconds)}</Fact>
      <Fact name="Started by">
        {triggerLabels[build.trigger]}
        {build.triggeredBy && <div className={classes.detail}>{build.triggeredBy}</div>}
      </Fact>
      <Fact name="Commit">{commit ? <Copy text={commit} shown={commit.slice(0, 12)} what="commit" /> : '–'}</Fact>
      {digest && (
        <Fact name="Digest" wide>
          <Copy text={digest} what="digest" />
        </Fact>
      )}
      {digest && (
        <Fact name="Pull it" wide>
          <Copy text={`docker pull ${image?.destination ?? repositoryOf(reference ?? '')}@${digest}`} what="pull command" />
        </Fact>
      )}
      {references.length > 0 && (
        <Fact name={references.length === 1 ? 'Pushed as' : `Pushed as ${references.length} tags`} wide>
          {references.map((each) => (
            <div key={each}>
              <Copy text={each} what="reference" />
            </div>
          ))}
        </Fact>
      )}
      {build.webhookDelivery && (
        <Fact name="Webhook" wide>
          <Delivery {...build.webhookDelivery} />
        </Fact>
      )}
    </dl>
  );
}

/** How far the build's end has been told to the image's webhook. */
function Delivery({ attempts, lastStatus, message, deliveredAt, nextAttemptAt }: NonNullable<BuildFieldsFragment['webhookDelivery']>) {
  if (deliveredAt) {
    return (
      <>
        Delivered <When at={deliveredAt} />
        {attempts > 1 && `, at attempt ${attempts}`}
      </>
    );
  }
  const why = message ?? (lastStatus ? `The last answer was ${lastStatus}.` : '');
  if (!nextAttemptAt) return `Given up after ${attempts} attempts. ${why}`;
  return (
    <>
      {attempts === 0 ? 'On its way.' : `Attempt ${attempts} failed. ${why} The next one:`} {attempts > 0 && <When at={nextAttemptAt} />}
    </>
  );
}

/** repositoryOf is a reference without its tag. */
function repositoryOf(reference: string): string {
  return reference.replace(/:[^/:]+$/, '');
}

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={wide ? classes.wide : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
