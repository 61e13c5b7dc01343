import { ActionIcon, Switch, TextInput, Tooltip } from '@mantine/core';
import IconChevronDown from '@tabler/icons-react/dist/esm/icons/IconChevronDown.mjs';
import IconChevronUp from '@tabler/icons-react/dist/esm/icons/IconChevronUp.mjs';
import IconDownload from '@tabler/icons-react/dist/esm/icons/IconDownload.mjs';
import IconSearch from '@tabler/icons-react/dist/esm/icons/IconSearch.mjs';
import { memo } from 'react';
import type { Search } from './useSearch';
import classes from './LogView.module.css';

type Props = { search: Search; state: string; live: boolean; follow: boolean; setFollow: (follow: boolean) => void; id: string };

/** What one can do with a log. New lines alone do not draw it again. */
export const LogBar = memo(function LogBar({ search, state, live, follow, setFollow, id }: Props) {
  const { query, count, at, busy } = search.found;
  const nowhere = busy ? 'Searching' : 'Nothing found';
  return (
    <div className={classes.bar}>
      <h2 className={classes.title}>Log</h2>
      <span className={classes.state} role="status">
        {state}
      </span>
      <div className={classes.tools}>
        {live && <Switch label="Follow" size="xs" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />}
        <TextInput
          size="xs"
          type="search"
          aria-label="Search the log"
          placeholder="Search the log"
          leftSection={<IconSearch size={14} />}
          value={search.text}
          onChange={(event) => search.setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') search.move(event.shiftKey ? -1 : 1);
            if (event.key === 'Escape') search.setText('');
          }}
        />
        {query && (
          <>
            <span className={classes.count} role="status">
              {count === 0 ? nowhere : `${at + 1} of ${count.toLocaleString('en')}`}
            </span>
            <Tool label="The match before" disabled={count === 0} onClick={() => search.move(-1)} Icon={IconChevronUp} />
            <Tool label="The next match" disabled={count === 0} onClick={() => search.move(1)} Icon={IconChevronDown} />
          </>
        )}
        <Tooltip label="Download the log" withArrow>
          <ActionIcon component="a" href={`/builds/${encodeURIComponent(id)}/log.txt`} download variant="subtle" color="gray" aria-label="Download the log">
            <IconDownload size={16} />
          </ActionIcon>
        </Tooltip>
      </div>
    </div>
  );
});

type ToolProps = { label: string; disabled: boolean; onClick: () => void; Icon: typeof IconSearch };

function Tool({ label, disabled, onClick, Icon }: ToolProps) {
  return (
    <Tooltip label={label} withArrow>
      <ActionIcon variant="subtle" color="gray" aria-label={label} disabled={disabled} onClick={onClick}>
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  );
}
