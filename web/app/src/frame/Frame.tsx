import { Container } from '@mantine/core';
import { Outlet, ScrollRestoration, useOutletContext } from 'react-router';
import { useQuery } from 'urql';
import { ViewerQuery } from '../api/viewer';
import type { Role } from '../gql/graphql';
import { Failure } from '../parts/Failure';
import { SignIn } from '../pages/SignIn';
import { ConnectionNotice } from './ConnectionNotice';
import { Header } from './Header';
import { Waiting } from './Waiting';
import { usePageFocus } from './usePageFocus';

export type Viewer = { id: string; login: string; role: Role };

/** What stands around every page; without somebody signed in, the page to sign in. */
export function Frame() {
  const [{ data, error, fetching }, ask] = useQuery({ query: ViewerQuery });
  const viewer = data?.viewer;
  const main = usePageFocus();
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header viewer={viewer} />
      <ConnectionNotice />
      <Container component="main" id="main" ref={main} tabIndex={-1} size={1160} w="100%" px="md" pt="xl" pb={64}>
        {error && !data && <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
        {fetching && !data && <Waiting />}
        {viewer && <Outlet context={viewer} />}
        {data && !viewer && <SignIn />}
      </Container>
      <ScrollRestoration />
    </>
  );
}

/** useViewer is who is signed in; only pages within the frame ask. */
export function useViewer(): Viewer {
  return useOutletContext<Viewer>();
}
