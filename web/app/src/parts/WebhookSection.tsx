import { Button, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Failure } from './Failure';
import { fieldProblems } from './fieldProblems';
import { Kept } from './Kept';
import { Once } from './Once';
import { Section } from './Section';
import { When } from './time';
import { useProblemFocus } from './useProblemFocus';
import classes from './settings.module.css';

const SetWebhook = graphql(`
  mutation SetWebhook($input: SetWebhookInput!) {
    setWebhook(input: $input) {
      secret
      image {
        id
        webhook {
          url
          createdAt
        }
      }
    }
  }
`);

const DeleteWebhook = graphql(`
  mutation DeleteWebhook($input: DeleteWebhookInput!) {
    deleteWebhook(input: $input) {
      image {
        id
        webhook {
          url
          createdAt
        }
      }
    }
  }
`);

/** The address that is told of each build that ends, and its secret, once. */
export function WebhookSection({ image }: { image: ImageFieldsFragment }) {
  const { webhook } = image;
  const remove = useChange(DeleteWebhook);
  const [secret, setSecret] = useState('');
  const items = webhook
    ? [
        {
          id: image.id,
          name: webhook.url,
          words: (
            <>
              set <When at={webhook.createdAt} />
            </>
          ),
          called: 'the webhook',
        },
      ]
    : [];

  async function drop() {
    const done = await remove.run({ image: image.id });
    if (done) setSecret('');
    return Boolean(done);
  }

  return (
    <Section
      id="webhook"
      title="Webhook"
      about="An address of yours that is told of each build that ends, by POST. How far that has come stands at each build."
    >
      <Once
        done={() => setSecret('')}
        shown={
          secret
            ? {
                title: 'The webhook’s secret',
                note: (
                  <>
                    Copy it now: it is not shown again. Deliveries carry <code>Drydock-Signature: t=TIME,v1=SIGNATURE</code>, where the signature is the
                    hexadecimal HMAC-SHA256 of <code>TIME.BODY</code> with this secret.
                  </>
                ),
                texts: { secret },
              }
            : undefined
        }
      />
      {!webhook && <Text c="dimmed">Nobody is told yet.</Text>}
      <Kept items={items} change={remove} remove={drop}>
        Nobody is told of builds that end from now on.
      </Kept>
      <SetForm image={image.id} made={setSecret} />
    </Section>
  );
}

function SetForm({ image, made }: { image: string; made: (secret: string) => void }) {
  const change = useChange(SetWebhook);
  const [url, setURL] = useState('');
  const problems = fieldProblems(change.error, ['url']);
  const form = useProblemFocus(change.error);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const done = await change.run({ image, url: url.trim() });
    if (!done) return;
    made(done.setWebhook.secret);
    setURL('');
  }

  return (
    <form ref={form} className={classes.form} noValidate onSubmit={(event) => void submit(event)} aria-label="Set the webhook">
      <TextInput
        label="Address"
        description="https://, at a public host. It replaces the one there is, and its secret."
        type="url"
        value={url}
        onChange={(event) => setURL(event.currentTarget.value)}
        error={problems.at('url')}
        required
        withAsterisk={false}
        spellCheck={false}
        autoComplete="off"
      />
      {problems.rest && <Failure error={change.error} />}
      <div className={classes.actions}>
        <Button type="submit" loading={change.busy}>
          Save webhook
        </Button>
      </div>
    </form>
  );
}
