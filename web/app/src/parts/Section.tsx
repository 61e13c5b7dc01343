import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './settings.module.css';

type Props = { id: string; title: string; about: ReactNode; children: ReactNode };

/** A part of a page of settings: what it is about, and beside that what there is and what one can do. */
export function Section({ id, title, about, children }: Props) {
  return (
    <section className={`card ${classes.part}`} aria-labelledby={id}>
      <div>
        <Title order={2} id={id}>
          {title}
        </Title>
        <Text c="dimmed" size="sm" component="div">
          {about}
        </Text>
      </div>
      <div className={classes.fields}>{children}</div>
    </section>
  );
}
