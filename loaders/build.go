package loaders

import (
	"context"
	"time"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// Builds is where builds are read: a store in memory.
type Builds interface {
	// LatestBuilds gives each image's newest build by the image's key; an image
	// without builds is not in the map.
	LatestBuilds(ctx context.Context, images []*model.Image) (map[model.Key]*model.Build, error)
	// BuildsEnded counts an account's builds that ended in [from, to), by UTC date.
	BuildsEnded(ctx context.Context, login string, from, to time.Time) (map[string]int, error)
}

// day is one UTC day of an account: the key of its count of builds.
type day struct{ login, date string }

// LatestBuild reads the newest build of an image; nil before the first.
func (l *Loaders) LatestBuild(ctx context.Context, image *model.Image) (*model.Build, error) {
	return load(ctx, l.latest, image)
}

// BuildsEnded counts the builds of an account that ended on a UTC date, YYYY-MM-DD.
func (l *Loaders) BuildsEnded(ctx context.Context, login, date string) (int, error) {
	return load(ctx, l.ended, day{login: login, date: date})
}

// latestBuilds fills every key: an image without builds has nil.
func latestBuilds(source Builds) func(context.Context, []*model.Image) (map[*model.Image]*model.Build, error) {
	return func(ctx context.Context, images []*model.Image) (map[*model.Image]*model.Build, error) {
		latest, err := source.LatestBuilds(ctx, images)
		if err != nil {
			return nil, err
		}
		builds := make(map[*model.Image]*model.Build, len(images))
		for _, image := range images {
			builds[image] = latest[image.Key]
		}
		return builds, nil
	}
}

// buildsEnded counts the days of an account by one read from its first to its
// last day, and fills every key: a day without builds has 0.
func buildsEnded(source Builds) func(context.Context, []day) (map[day]int, error) {
	return func(ctx context.Context, days []day) (map[day]int, error) {
		counts := make(map[day]int, len(days))
		for login, span := range spans(days) {
			from, to, err := span.times()
			if err != nil {
				return nil, fault.Wrap(fault.Internal, err)
			}
			byDate, err := source.BuildsEnded(ctx, login, from, to)
			if err != nil {
				return nil, err
			}
			for _, date := range span.dates {
				counts[day{login: login, date: date}] = byDate[date]
			}
		}
		return counts, nil
	}
}

// span is the days asked of one account.
type span struct {
	first, last string
	dates       []string
}

func spans(days []day) map[string]*span {
	byLogin := map[string]*span{}
	for _, d := range days {
		s, ok := byLogin[d.login]
		if !ok {
			s = &span{first: d.date, last: d.date}
			byLogin[d.login] = s
		}
		s.first, s.last = min(s.first, d.date), max(s.last, d.date)
		s.dates = append(s.dates, d.date)
	}
	return byLogin
}

// times are the span's first moment and the first one after it.
func (s *span) times() (from, to time.Time, err error) {
	if from, err = time.Parse(time.DateOnly, s.first); err != nil {
		return from, to, err
	}
	to, err = time.Parse(time.DateOnly, s.last)
	return from, to.AddDate(0, 0, 1), err
}
