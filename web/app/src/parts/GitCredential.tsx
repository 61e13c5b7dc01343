import { Button, Text, TextInput, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Failure } from './Failure';
import { fieldProblems } from './fieldProblems';
import { Kept } from './Kept';
import { Section } from './Section';
import { When } from './time';
import { useProblemFocus } from './useProblemFocus';
import classes from './settings.module.css';

const SetGitCredential = graphql(`
  mutation SetGitCredential($input: SetGitCredentialInput!) {
    setGitCredential(input: $input) {
      image {
        id
        gitCredential {
          kind
          host
          username
          createdAt
        }
      }
    }
  }
`);

const DeleteGitCredential = graphql(`
  mutation DeleteGitCredential($input: DeleteGitCredentialInput!) {
    deleteGitCredential(input: $input) {
      image {
        id
        gitCredential {
          kind
          host
          username
          createdAt
        }
      }
    }
  }
`);

/** How an image's private repository is read: by a token over HTTPS, by a deploy key over SSH. */
export function GitCredential({ image }: { image: ImageFieldsFragment }) {
  const { gitCredential: credential } = image;
  const remove = useChange(DeleteGitCredential);
  const items = credential
    ? [
        {
          id: image.id,
          name: credential.host,
          words: (
            <>
              {credential.kind === 'SSH_KEY' ? 'A deploy key' : `A token of ${credential.username ?? 'git'}`}, set <When at={credential.createdAt} />
            </>
          ),
          called: `the credential of ${credential.host}`,
        },
      ]
    : [];
  return (
    <Section
      id="git"
      title="Private repository"
      about="How builds read the image’s repository. A public one needs nothing here. It is tried there before it is kept, and never shown again."
    >
      {!credential && <Text c="dimmed">None: builds read {image.source.repository} as anybody can.</Text>}
      <Kept items={items} change={remove} remove={async () => Boolean(await remove.run({ image: image.id }))}>
        Builds that start from now on read the repository as anybody can.
      </Kept>
      <SetForm image={image} />
    </Section>
  );
}

/** overSSH are repositories that are reached by a key. */
const overSSH = /^(ssh:\/\/|[^/:]+@[^/:]+:)/;

function SetForm({ image }: { image: ImageFieldsFragment }) {
  const change = useChange(SetGitCredential);
  const [username, setUsername] = useState('git');
  const [secret, setSecret] = useState('');
  const [saved, setSaved] = useState(false);
  const key = overSSH.test(image.source.repository);
  const problems = fieldProblems(change.error, ['username', 'token', 'sshKey']);
  const form = useProblemFocus(change.error);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setSaved(false);
    const done = await change.run({ image: image.id, ...(key ? { sshKey: secret } : { username: username.trim(), token: secret.trim() }) });
    if (!done) return;
    setSecret('');
    setSaved(true);
  }

  return (
    <form ref={form} className={classes.form} noValidate onSubmit={(event) => void submit(event)} aria-label="Set the repository's credential">
      {key ? (
        <Textarea
          label="Private key"
          description="In PEM, without a passphrase; its public half is a deploy key of the repository."
          value={secret}
          onChange={(event) => setSecret(event.currentTarget.value)}
          error={problems.at('sshKey')}
          rows={5}
          required
          withAsterisk={false}
          spellCheck={false}
          autoComplete="off"
        />
      ) : (
        <div className={classes.pair}>
          <TextInput
            label="Username"
            description="Whose the token is; most hosts take any."
            value={username}
            onChange={(event) => setUsername(event.currentTarget.value)}
            error={problems.at('username')}
            spellCheck={false}
            autoCapitalize="none"
            autoComplete="off"
          />
          <TextInput
            label="Token"
            description="One that may read the repository, and no more."
            type="password"
            value={secret}
            onChange={(event) => setSecret(event.currentTarget.value)}
            error={problems.at('token')}
            required
            withAsterisk={false}
            spellCheck={false}
            autoComplete="new-password"
          />
        </div>
      )}
      {problems.rest && <Failure error={change.error} />}
      <div className={classes.actions}>
        <Button type="submit" loading={change.busy}>
          Try and save
        </Button>
        <Text c="dimmed" size="sm" role="status">
          {saved && 'It is kept. The next build uses it.'}
        </Text>
      </div>
    </form>
  );
}
