import { Button, NumberInput, Switch, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import { Confirm } from './Confirm';
import { Failure } from './Failure';
import { fieldProblems } from './fieldProblems';
import { Once } from './Once';
import { Section } from './Section';
import { onDay } from './time';
import { useProblemFocus } from './useProblemFocus';
import classes from './settings.module.css';

const CreateAccessToken = graphql(`
  mutation CreateAccessToken($input: CreateAccessTokenInput!) {
    createAccessToken(input: $input) {
      token
      expiresAt
    }
  }
`);

const RevokeAccessTokens = graphql(`
  mutation RevokeAccessTokens($input: RevokeAccessTokensInput!) {
    revokeAccessTokens(input: $input) {
      clientMutationID
    }
  }
`);

type Token = { name: string; token: string; expiresAt: string };

/** Tokens for scripts: made here, shown once, and ended all together. */
export function AccessTokens() {
  const [token, setToken] = useState<Token>();
  const shown = token && {
    title: `The token “${token.name}”`,
    note: `Copy it now: it is not shown again. It ends on ${onDay(token.expiresAt)}.`,
    texts: { token: token.token },
  };
  return (
    <Section
      id="tokens"
      title="Access tokens"
      about={
        <>
          For scripts and CI, sent as <code>Authorization: Bearer</code>. A token is shown once and kept nowhere, so there is no list.
        </>
      }
    >
      <Once shown={shown} done={() => setToken(undefined)} />
      <CreateForm made={setToken} />
      <Revocation done={() => setToken(undefined)} />
    </Section>
  );
}

function CreateForm({ made }: { made: (token: Token) => void }) {
  const create = useChange(CreateAccessToken);
  const [name, setName] = useState('');
  const [days, setDays] = useState<number | string>(90);
  const [readOnly, setReadOnly] = useState(false);
  const problems = fieldProblems(create.error, ['name', 'expiresInDays']);
  const form = useProblemFocus(create.error);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const done = await create.run({ name: name.trim(), expiresInDays: Number(days), readOnly });
    if (!done) return;
    made({ name: name.trim(), ...done.createAccessToken });
    setName('');
  }

  return (
    <form ref={form} className={classes.form} noValidate onSubmit={(event) => void submit(event)} aria-label="Create an access token">
      <div className={classes.pair}>
        <TextInput
          label="Name"
          description="What it is for, such as “deploy script”."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={problems.at('name')}
          required
          withAsterisk={false}
          autoComplete="off"
        />
        <NumberInput
          label="Days"
          description="How long it is good: 1 to 365."
          value={days}
          onChange={setDays}
          error={problems.at('expiresInDays')}
          allowDecimal={false}
          allowNegative={false}
          max={99_999}
          clampBehavior="strict"
          hideControls
        />
      </div>
      <Switch
        label="Read-only"
        description="It may ask and follow, and change nothing."
        checked={readOnly}
        onChange={(event) => setReadOnly(event.currentTarget.checked)}
      />
      {problems.rest && <Failure error={create.error} />}
      <div className={classes.actions}>
        <Button type="submit" loading={create.busy}>
          Create token
        </Button>
      </div>
    </form>
  );
}

function Revocation({ done }: { done: () => void }) {
  const revoke = useChange(RevokeAccessTokens);
  const [asked, setAsked] = useState(false);
  const [revoked, setRevoked] = useState(false);

  async function run() {
    if (!(await revoke.run({}))) return;
    setAsked(false);
    setRevoked(true);
    done();
  }

  return (
    <div className={classes.apart}>
      <Text c="dimmed" size="sm" role="status">
        {revoked ? 'All tokens are revoked.' : 'One token has leaked, or you have lost count? End all of them.'}
      </Text>
      <Button
        variant="default"
        className={classes.danger}
        onClick={() => {
          setRevoked(false);
          setAsked(true);
        }}
      >
        Revoke all tokens
      </Button>
      <Confirm
        opened={asked}
        title="Revoke all access tokens?"
        confirm="Revoke all"
        busy={revoke.busy}
        error={revoke.error}
        onConfirm={() => void run()}
        onClose={() => {
          setAsked(false);
          revoke.forget();
        }}
      >
        Every script that uses one of your tokens is shut out at once. You stay signed in here.
      </Confirm>
    </div>
  );
}
