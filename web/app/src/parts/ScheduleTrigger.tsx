import { Alert, Button, Text, TextInput } from '@mantine/core';
import IconClockExclamation from '@tabler/icons-react/dist/esm/icons/IconClockExclamation.mjs';
import cronstrue from 'cronstrue';
import { type FormEvent, useState } from 'react';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Failure } from './Failure';
import { fieldProblems } from './fieldProblems';
import { Section } from './Section';
import { inUTC } from './time';
import { useTriggers } from './useTriggers';
import { useProblemFocus } from './useProblemFocus';
import classes from './settings.module.css';

/** Builds at set times: the cron line, what it says in words, and when it is next. */
export function ScheduleTrigger({ image }: { image: ImageFieldsFragment }) {
  const { schedule, nextRunAt, lastRunAt, scheduleMessage } = image.triggers;
  const triggers = useTriggers(image);
  const [line, setLine] = useState(schedule ?? '');
  const [saved, setSaved] = useState(false);
  const problems = fieldProblems(triggers.error, ['triggers.schedule']);
  const form = useProblemFocus(triggers.error);
  const text = line.trim();

  async function save(next: string | null) {
    setSaved(false);
    if (!(await triggers.set({ schedule: next }))) return;
    setLine(next ?? '');
    setSaved(true);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    void save(text || null);
  }

  return (
    <Section id="schedule" title="Schedule" about="Builds at set times, in UTC. Runs that are missed while the service is down are made up for by one.">
      {schedule && (
        <div>
          <Text fw={500}>{inWords(schedule) ?? schedule}</Text>
          <Text c="dimmed" size="sm">
            {nextRunAt ? `Next on ${inUTC(nextRunAt)}.` : 'No run is due.'} {lastRunAt && `Last on ${inUTC(lastRunAt)}.`}
          </Text>
        </div>
      )}
      {scheduleMessage && (
        <Alert color="yellow" variant="light" icon={<IconClockExclamation />}>
          {scheduleMessage}
        </Alert>
      )}
      <form ref={form} className={classes.form} noValidate onSubmit={submit} aria-label="Set the schedule">
        <TextInput
          label="Cron line"
          description="Minute, hour, day, month, weekday: 30 4 * * 1-5. Or @hourly, @daily, @weekly, @monthly, @yearly. Empty for none."
          value={line}
          onChange={(event) => {
            setSaved(false);
            setLine(event.currentTarget.value);
          }}
          error={problems.at('triggers.schedule')}
          classNames={{ input: classes.mono }}
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
        />
        {problems.rest && <Failure error={triggers.error} />}
        <div className={classes.actions}>
          <Button type="submit" loading={triggers.busy}>
            Save schedule
          </Button>
          {schedule && (
            <Button variant="subtle" color="gray" disabled={triggers.busy} onClick={() => void save(null)}>
              Remove it
            </Button>
          )}
          <Text c="dimmed" size="sm" role="status">
            {saved ? 'Saved.' : text !== (schedule ?? '') && inWords(text)}
          </Text>
        </div>
      </form>
    </Section>
  );
}

/** inWords says a cron line in English; nothing where it is none, which the server has words for. */
function inWords(line: string): string | undefined {
  if (!line) return undefined;
  try {
    return `${cronstrue.toString(line, { verbose: true, use24HourTimeFormat: true })}, UTC`;
  } catch {
    return undefined;
  }
}
