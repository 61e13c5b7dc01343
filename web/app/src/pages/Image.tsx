import { Anchor, Badge, Skeleton, Tabs, Text, Title } from '@mantine/core';
import { Suspense, lazy } from 'react';
import { Link, useLocation, useNavigate, useParams } from 'react-router';
import { useQuery } from 'urql';
import { useLive } from '../api/useLive';
import { codeOf } from '../api/words';
import { Waiting } from '../frame/Waiting';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Copy } from '../parts/Copy';
import { Failure } from '../parts/Failure';
import { ImageBuilds } from './ImageBuilds';
import { NotFound } from './NotFound';
import { StartForm } from './StartForm';
import classes from './Image.module.css';

const ImageSecrets = lazy(async () => ({ default: (await import('./ImageSecrets')).ImageSecrets }));
const ImageSettings = lazy(async () => ({ default: (await import('./ImageSettings')).ImageSettings }));
const ImageSignals = lazy(async () => ({ default: (await import('./ImageSignals')).ImageSignals }));
const ImageTriggers = lazy(async () => ({ default: (await import('./ImageTriggers')).ImageTriggers }));

/** The parts of an image's page, by the end of their address; the first is at the image's own. */
const tabs = { builds: 'Builds', triggers: 'Triggers', secrets: 'Secrets', signals: 'Badge and webhook', settings: 'Settings' };

const ImageQuery = graphql(`
  query Image($name: String!) {
    image(name: $name) {
      ...ImageFields
    }
  }
`);

const ImageChanged = graphql(`
  subscription ImageChanged($id: ID!) {
    imageChanged(id: $id) {
      ...ImageFields
    }
  }
`);

/** One image: its builds, and all that can be set of it. */
export function Image() {
  const { name = '' } = useParams();
  const [{ data, error }, ask] = useQuery({ query: ImageQuery, variables: { name } });
  usePageTitle(name);
  if (data?.image) return <Shown key={data.image.id} image={data.image} />;
  if (codeOf(error) === 'NOT_FOUND') return <NotFound what="image" />;
  if (error) return <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />;
  return data ? <NotFound what="image" /> : <Waiting />;
}

function Shown({ image }: { image: ImageFieldsFragment }) {
  useLive(ImageChanged, { id: image.id });
  const end = useLocation().pathname.split('/')[3];
  const navigate = useNavigate();
  const base = `/images/${image.name}`;
  return (
    <>
      <nav aria-label="Breadcrumb">
        <Anchor component={Link} to="/" size="sm">
          Images
        </Anchor>
      </nav>
      <div className={classes.head}>
        <Title order={1}>{image.name}</Title>
        {image.suspended && (
          <Badge variant="default" tt="none">
            Suspended
          </Badge>
        )}
        <StartForm image={image} />
      </div>
      <dl className={classes.facts}>
        <div>
          <dt>Source</dt>
          <dd>
            <Text span truncate title={image.source.repository}>
              {image.source.repository}
            </Text>{' '}
            <Text span c="dimmed">
              at {image.source.ref}
            </Text>
          </dd>
        </div>
        <div>
          <dt>Destination</dt>
          <dd>
            <Copy text={image.destination} what="destination" />
          </dd>
        </div>
      </dl>
      <Tabs value={end && end in tabs ? end : 'builds'} onChange={(tab) => void navigate(tab === 'builds' ? base : `${base}/${tab}`)} keepMounted={false}>
        <Tabs.List mb="md">
          {Object.entries(tabs).map(([tab, label]) => (
            <Tabs.Tab key={tab} value={tab}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Suspense fallback={<Skeleton height={240} radius="lg" role="status" aria-busy="true" aria-label="Loading" />}>
          <Tabs.Panel value="builds">
            <ImageBuilds image={image} />
          </Tabs.Panel>
          <Tabs.Panel value="triggers">
            <ImageTriggers image={image} />
          </Tabs.Panel>
          <Tabs.Panel value="secrets">
            <ImageSecrets image={image} />
          </Tabs.Panel>
          <Tabs.Panel value="signals">
            <ImageSignals image={image} />
          </Tabs.Panel>
          <Tabs.Panel value="settings">
            <ImageSettings image={image} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
    </>
  );
}
