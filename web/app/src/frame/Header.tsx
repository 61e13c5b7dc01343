import { Button, Container, Menu } from '@mantine/core';
import IconChevronDown from '@tabler/icons-react/dist/esm/icons/IconChevronDown.mjs';
import IconLogout from '@tabler/icons-react/dist/esm/icons/IconLogout.mjs';
import { Link, NavLink, useLocation } from 'react-router';
import { signOut } from '../session';
import type { Viewer } from './Frame';
import { SchemeMenu } from './SchemeMenu';
import classes from './Header.module.css';

/** Where one can go, and who is signed in. */
export function Header({ viewer }: { viewer: Viewer | null | undefined }) {
  return (
    <header className={classes.header}>
      <Container size={1160} px="md" className={classes.bar}>
        <Link to="/" className={classes.brand}>
          <img src="/icon.svg" alt="" width={26} height={26} />
          Drydock
        </Link>
        <nav aria-label="Main" className={classes.nav} hidden={!viewer}>
          <Images />
          <Item to="/usage" label="Usage" />
          <Item to="/plan" label="Plan" />
          <Item to="/settings" label="Settings" />
          {viewer?.role === 'ADMIN' && <Item to="/accounts" label="Accounts" />}
          <a href="/graphiql" className={classes.item}>
            API
          </a>
        </nav>
        <div className={classes.right}>
          <SchemeMenu />
          {viewer && (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="subtle" color="gray" className={classes.account} rightSection={<IconChevronDown size={14} />}>
                  {viewer.login}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
                  Sign out
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </div>
      </Container>
    </header>
  );
}

/** The way to the images, where one is also on the page of an image or of a build. */
function Images() {
  const { pathname } = useLocation();
  const within = pathname === '/' || /^\/(new|images|builds)(\/|$)/.test(pathname);
  return (
    <Link to="/" className={classes.item} aria-current={pathname === '/' ? 'page' : within || undefined}>
      Images
    </Link>
  );
}

function Item({ to, label }: { to: string; label: string }) {
  return (
    <NavLink to={to} className={classes.item}>
      {label}
    </NavLink>
  );
}
