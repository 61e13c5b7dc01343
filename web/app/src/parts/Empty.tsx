import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Empty.module.css';

type Props = {
  icon?: ReactNode;
  title: string;
  children: ReactNode;
  action?: ReactNode;
  /** Whether the page shows nothing else: then the title is the page's. */
  alone?: boolean;
};

/** What stands where nothing is yet: why, and what to do first. */
export function Empty({ icon, title, children, action, alone = false }: Props) {
  return (
    <section className={classes.empty}>
      {icon && <div className={classes.icon}>{icon}</div>}
      <Title order={alone ? 1 : 2} size="h2">
        {title}
      </Title>
      <Text c="dimmed" maw={460}>
        {children}
      </Text>
      {action}
    </section>
  );
}
