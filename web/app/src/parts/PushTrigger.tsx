import { Button, Switch, Text } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Confirm } from './Confirm';
import { Copy } from './Copy';
import { Failure } from './Failure';
import { Once } from './Once';
import { Section } from './Section';
import { type PushWebhook, useTriggers } from './useTriggers';
import classes from './settings.module.css';

const RotatePushSecret = graphql(`
  mutation RotatePushSecret($input: RotatePushSecretInput!) {
    rotatePushSecret(input: $input) {
      image {
        id
        pushWebhookURL
      }
      pushWebhook {
        url
        secret
      }
    }
  }
`);

const steps = (
  <>
    At GitHub, open the repository’s Settings, then Webhooks, then “Add webhook”. Give it this payload URL and this secret, and leave it at just the push event.
    Copy the secret now: it is not shown again.
  </>
);

/** Builds at each push: on or off, and the webhook that tells of pushes. */
export function PushTrigger({ image }: { image: ImageFieldsFragment }) {
  const triggers = useTriggers(image);
  const [fresh, setFresh] = useState<PushWebhook>();
  const { pushWebhookURL } = image;

  async function turn(push: boolean) {
    const done = await triggers.set({ push });
    if (done) setFresh(done.updateImage.pushWebhook ?? undefined);
  }

  return (
    <Section id="push" title="Push" about={`A push to ${image.source.ref} builds it. A burst of pushes builds the newest commit.`}>
      <Switch label="Build at each push" checked={image.triggers.push} disabled={triggers.busy} onChange={(event) => void turn(event.currentTarget.checked)} />
      <Failure error={triggers.error} />
      <Once
        shown={fresh && { title: 'The webhook to set up at GitHub', note: steps, texts: { 'Payload URL': fresh.url, Secret: fresh.secret } }}
        done={() => setFresh(undefined)}
      />
      {pushWebhookURL && !fresh && (
        <div>
          <Text fw={500}>Payload URL</Text>
          <Copy text={pushWebhookURL} what="payload URL" />
        </div>
      )}
      {pushWebhookURL && <Rotation image={image.id} made={setFresh} />}
    </Section>
  );
}

function Rotation({ image, made }: { image: string; made: (webhook: PushWebhook) => void }) {
  const rotate = useChange(RotatePushSecret);
  const [asked, setAsked] = useState(false);

  async function run() {
    const done = await rotate.run({ image });
    if (!done) return;
    setAsked(false);
    made(done.rotatePushSecret.pushWebhook);
  }

  return (
    <div className={classes.apart}>
      <Text c="dimmed" size="sm">
        The secret is lost, or has leaked? Make another.
      </Text>
      <Button variant="default" onClick={() => setAsked(true)}>
        New secret
      </Button>
      <Confirm
        opened={asked}
        title="Make a new secret?"
        confirm="Make it"
        busy={rotate.busy}
        error={rotate.error}
        onConfirm={run}
        onClose={() => {
          setAsked(false);
          rotate.forget();
        }}
      >
        The one before is void at once: pushes build nothing until GitHub has the new one.
      </Confirm>
    </div>
  );
}
