import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Empty.module.css';

/** What stands where nothing is yet: why, and what to do first. */
export function Empty({ icon, title, children, action }: { icon?: ReactNode; title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <section className={classes.empty}>
      {icon && <div className={classes.icon}>{icon}</div>}
      <Title order={2}>{title}</Title>
      <Text c="dimmed" maw={460}>
        {children}
      </Text>
      {action}
    </section>
  );
}
