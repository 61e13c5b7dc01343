import { ActionIcon, Button, NumberInput, Switch, TagsInput, Text, TextInput } from '@mantine/core';
import IconPlus from '@tabler/icons-react/dist/esm/icons/IconPlus.mjs';
import IconX from '@tabler/icons-react/dist/esm/icons/IconX.mjs';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { CombinedError } from 'urql';
import { codeOf } from '../api/words';
import { Failure } from '../parts/Failure';
import { useProblemFocus } from '../parts/useProblemFocus';
import classes from './ImageForm.module.css';
import { type Problems, problemsOf } from './problems';

/** What a person may set of an image; timeoutSeconds is empty where the plan's limit holds. */
export type ImageValues = {
  name: string;
  source: { repository: string; ref: string; context: string; dockerfile: string };
  destination: string;
  tags: string[];
  platforms: string[];
  buildArgs: { key: string; value: string }[];
  cache: boolean;
  timeoutSeconds: number | null;
};

export const freshImage: ImageValues = {
  name: '',
  source: { repository: '', ref: 'main', context: '.', dockerfile: 'Dockerfile' },
  destination: '',
  tags: ['latest'],
  platforms: [],
  buildArgs: [],
  cache: true,
  timeoutSeconds: null,
};

type Props = {
  initial: ImageValues;
  named?: boolean;
  busy: boolean;
  error: CombinedError | undefined;
  submit: string;
  onSubmit: (values: ImageValues) => void;
  beside?: ReactNode;
};

/** The form of an image definition. The server's rules hold: what it says of a field stands at the field. */
export function ImageForm({ initial, named, busy, error, submit, onSubmit, beside }: Props) {
  const [values, setValues] = useState(initial);
  const problems = problemsOf(error);
  const form = useProblemFocus(error);
  const set = <Name extends keyof ImageValues>(name: Name, value: ImageValues[Name]) => setValues((all) => ({ ...all, [name]: value }));

  function source(name: keyof ImageValues['source'], label: string, description: string, mono = true) {
    return (
      <TextInput
        label={label}
        description={description}
        value={values.source[name]}
        onChange={(event) => set('source', { ...values.source, [name]: event.currentTarget.value })}
        error={problems.at(`source.${name}`)}
        classNames={mono ? { input: classes.mono } : undefined}
        required={name === 'repository'}
        withAsterisk={false}
        spellCheck={false}
        autoCapitalize="none"
      />
    );
  }

  return (
    <form
      ref={form}
      className={classes.form}
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        onSubmit(values);
      }}
    >
      {!named && (
        <Part title="Name" about="It is in the address of the image's page, and stays.">
          <TextInput
            label="Name"
            description="Lower case letters, digits and -."
            value={values.name}
            onChange={(event) => set('name', event.currentTarget.value)}
            error={problems.at('name')}
            required
            withAsterisk={false}
            spellCheck={false}
            autoCapitalize="none"
          />
        </Part>
      )}
      <Part title="Source" about="The git repository, and what in it to build.">
        {source('repository', 'Repository', 'The clone URL: https://host/team/app.git or git@host:team/app.git.')}
        <div className={classes.pair}>
          {source('ref', 'Branch, tag or commit', 'What a build takes when nothing else is asked for.')}
          {source('dockerfile', 'Dockerfile', 'Relative to the context.')}
        </div>
        {source('context', 'Context', 'The folder that the build may copy from.')}
      </Part>
      <Part title="Destination" about="Where a finished image is pushed.">
        <TextInput
          label="Registry and path"
          description="Such as registry.example.com/team/app."
          value={values.destination}
          onChange={(event) => set('destination', event.currentTarget.value)}
          error={problems.at('destination')}
          classNames={{ input: classes.mono }}
          required
          withAsterisk={false}
          spellCheck={false}
          autoCapitalize="none"
        />
        <TagsInput
          label="Tags"
          description="Templates: {{.Commit}} {{.ShortCommit}} {{.Branch}} {{.Tag}} {{.Number}} {{.Date}}"
          value={values.tags}
          onChange={(tags) => set('tags', tags)}
          error={problems.at('tags')}
        />
      </Part>
      <Part title="Build" about="What differs from a plain build. All of it may stay empty.">
        <Arguments values={values.buildArgs} onChange={(buildArgs) => set('buildArgs', buildArgs)} problems={problems} />
        <div className={classes.pair}>
          <TagsInput
            label="Platforms"
            description="Such as linux/amd64."
            value={values.platforms}
            onChange={(platforms) => set('platforms', platforms)}
            error={problems.at('platforms')}
          />
          <NumberInput
            label="Time limit, in seconds"
            description="It can only lower the plan's limit."
            value={values.timeoutSeconds ?? ''}
            onChange={(value) => set('timeoutSeconds', value === '' ? null : Number(value))}
            error={problems.at('timeoutSeconds')}
            allowDecimal={false}
            hideControls
          />
        </div>
        <Switch
          label="Keep layers for the next build"
          description="In the destination’s registry, where the next build finds what has not changed."
          checked={values.cache}
          onChange={(event) => set('cache', event.currentTarget.checked)}
        />
      </Part>
      {error && (codeOf(error) !== 'BAD_USER_INPUT' || problems.rest) && <Failure error={error} />}
      <div className={classes.actions}>
        <Button type="submit" loading={busy}>
          {submit}
        </Button>
        {beside}
      </div>
    </form>
  );
}

function Part({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  return (
    <fieldset className={`card ${classes.part}`}>
      <legend className={classes.legend}>{title}</legend>
      <div aria-hidden="true">
        <Text className={classes.title}>{title}</Text>
        <Text c="dimmed" size="sm">
          {about}
        </Text>
      </div>
      <div className={classes.fields}>{children}</div>
    </fieldset>
  );
}

type ArgumentsProps = { values: ImageValues['buildArgs']; onChange: (values: ImageValues['buildArgs']) => void; problems: Problems };

function Arguments({ values, onChange, problems }: ArgumentsProps) {
  const change = (i: number, part: Partial<ImageValues['buildArgs'][number]>) => onChange(values.map((each, at) => (at === i ? { ...each, ...part } : each)));
  return (
    <div className={classes.arguments} role="group" aria-label="Build arguments">
      <Text fw={500}>Build arguments</Text>
      {values.map(({ key, value }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an argument has no name of its own before somebody gives it one
        <div key={i} className={classes.argument}>
          <TextInput
            aria-label={`Name of argument ${i + 1}`}
            placeholder="NAME"
            value={key}
            onChange={(event) => change(i, { key: event.currentTarget.value })}
            error={problems.at(`buildArgs[${i}].key`)}
            classNames={{ input: classes.mono }}
          />
          <TextInput
            aria-label={`Value of argument ${i + 1}`}
            placeholder="value"
            value={value}
            onChange={(event) => change(i, { value: event.currentTarget.value })}
            error={problems.at(`buildArgs[${i}].value`)}
            classNames={{ input: classes.mono }}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Remove argument ${i + 1}`}
            onClick={() => onChange(values.filter((_, at) => at !== i))}
          >
            <IconX size={16} />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="default"
        size="xs"
        leftSection={<IconPlus size={14} />}
        className={classes.add}
        onClick={() => onChange([...values, { key: '', value: '' }])}
      >
        Add an argument
      </Button>
    </div>
  );
}
